// Telemetry as JSON with MQTT.js (npm package mqtt) and QoS 1, for the end-to-end tests.
//
//   node mqttjs_publisher.mjs --broker mqtt://127.0.0.1:1883 --topic T --count N --start MS --interval MS
//                             [--cuts C]
//
// Message i (0 to N-1) says {"ts": start + i * interval, "energy": (i * 7 % 100) / 100, "temperature": 20 + i % 10}.
// The connection is cut without a word C times on the way; MQTT.js connects again and sends once more what was not
// acknowledged. Ends with code 0 when the broker has acknowledged everything, and prints one line of JSON:
// {"acknowledged": N, "connections": how often it was connected}.
import mqtt from 'mqtt';

const option = (name, otherwise) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? otherwise : process.argv[at + 1];
};
const count = Number(option('count'));
const start = Number(option('start'));
const interval = Number(option('interval'));
const cuts = Number(option('cuts', 0));
const window = 200; // messages on their way at once

let next = 0;
let acknowledged = 0;
let connections = 0;
let cut = 0;

const client = mqtt.connect(option('broker'), {
  clientId: 'third-party-publisher',
  clean: false,
  reconnectPeriod: 100,
  protocolVersion: 4,
});

const message = (i) =>
  JSON.stringify({ ts: start + i * interval, energy: ((i * 7) % 100) / 100, temperature: 20 + (i % 10) });

const fill = () => {
  while (next < count && next - acknowledged < window) {
    client.publish(option('topic'), message(next++), { qos: 1 }, (error) => {
      if (error) {
        process.stderr.write(`${error}\n`);
        process.exit(1);
      }
      acknowledged += 1;
      if (acknowledged === count) {
        client.end(false, {}, () => {
          process.stdout.write(`${JSON.stringify({ acknowledged, connections })}\n`);
          process.exit(0);
        });
      } else if (cut < cuts && acknowledged >= ((cut + 1) * count) / (cuts + 1)) {
        cut += 1;
        client.stream.destroy();
      } else {
        fill();
      }
    });
  }
};

client.on('connect', () => {
  connections += 1;
  fill();
});
client.on('error', (error) => {
  process.stderr.write(`${error}\n`);
  process.exit(1);
});
