#pragma once
// Ports of the loopback interface, for the programs that tests start.

namespace fettle::e2e {

// One that nobody uses at this moment; whoever is to have it takes it at once. Throws where there is none.
int free_port();
// Whether somebody listens there.
bool accepts(int port);

}  // namespace fettle::e2e
