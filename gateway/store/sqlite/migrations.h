#pragma once
// The schema of the store, as numbered steps from an empty file to the present one.
//
// A step never changes once released: what must change gets a new step. `PRAGMA user_version` holds the number of the
// last step that ran, `PRAGMA application_id` says that the file is Fettle's.

#include "gateway/store/sqlite/database.h"

namespace fettle::store {

// The version that this program reads and writes.
int schema_version();

// Brings the file to schema_version(), each step in a transaction of its own. Throws DatabaseError where the file is of
// a newer Fettle, or another program's.
void migrate(Database& database);

// For readers, who write nothing. Throws where the file is of another version, or another program's.
void require_schema(Database& database);

}  // namespace fettle::store
