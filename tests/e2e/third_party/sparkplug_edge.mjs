// An edge node made of the npm package sparkplug-client, for the end-to-end tests: what other people's devices send.
//
//   node sparkplug_edge.mjs --broker mqtt://127.0.0.1:1883 --group G --node N [--compress DEFLATE|GZIP]
//
// --compress: all births and data are compressed.
//
// Orders come as lines of JSON on standard input and are answered with {"event":"done","id":N} on standard output, or
// {"event":"failed","id":N,"why":...}. Besides it says {"event":"connected"}, {"event":"closed"}, {"event":"born"} after
// each set of birth certificates and {"event":"rebirth_requested"}. It ends when its input ends.
//
// | order            | does
// |------------------|------------------------------------------------------------------------------------------------
// | node_metrics     | what the node's birth certificates hold from now on: metrics. Before the first connect
// | device_birth     | DBIRTH of `device` with `metrics`; said again with their newest values at every rebirth
// | device_data      | DDATA of `device` with `metrics`; `compress`: DEFLATE or GZIP; `birthless`: remembered by nobody
// | node_data        | NDATA with `metrics`
// | device_death     | DDEATH of `device`
// | many             | `count` DDATA of `device`, each with `metrics`, whose timestamps grow by `interval` and whose
// |                  | values by their own `step`, in hundredths at most, from one message to the next
// | lose             | takes a sequence number that no message gets: as if one had been lost on its way
// | rebirth          | births, as if they had been asked for
// | answer_rebirths  | `yes`: true or false; true at first
// | cut              | closes the connection without a word, so that the broker publishes the will; it connects again
// | stop             | publishes NDEATH and disconnects
//
// A metric is what sparkplug-payload takes: {name, type, value, timestamp, isHistorical, isNull, alias, properties}.
// Bytes are written {"base64": "..."}.
import { createInterface } from 'node:readline';
import { createRequire } from 'node:module';

const sparkplug = createRequire(import.meta.url)('sparkplug-client');

const option = (name, otherwise) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? otherwise : process.argv[at + 1];
};
const say = (answer) => process.stdout.write(`${JSON.stringify(answer)}\n`);

const compress = option('compress');
const defaults = compress ? { compress: true, algorithm: compress } : undefined;
const devices = new Map(); // id -> its metrics by name, as they were said last
let nodeMetrics = [];
let answers = true;
let client = null;

const readable = (metric) => {
  const value = metric.value;
  return value !== null && typeof value === 'object' && 'base64' in value
    ? { ...metric, value: Buffer.from(value.base64, 'base64') }
    : metric;
};

// The payload's own time: that of its newest metric, so that nothing depends on when a test ran.
const payloadOf = (metrics) => ({
  timestamp: Math.max(0, ...metrics.map((metric) => metric.timestamp ?? 0)) || Date.now(),
  metrics: metrics.map(readable),
});

const remember = (device, metrics) => {
  const known = devices.get(device);
  for (const metric of metrics) {
    if (!metric.isHistorical && known?.has(metric.name)) known.set(metric.name, { ...known.get(metric.name), ...metric });
  }
};

const born = () => {
  // A copy: the client adds bdSeq to what it is given.
  client.publishNodeBirth(payloadOf([...nodeMetrics]), defaults);
  for (const [device, metrics] of devices) {
    client.publishDeviceBirth(device, payloadOf([...metrics.values()]), defaults);
  }
  say({ event: 'born' });
};

const connect = () => {
  client = sparkplug.newClient({
    serverUrl: option('broker'),
    username: option('username', ''),
    password: option('password', ''),
    groupId: option('group'),
    edgeNode: option('node'),
    clientId: `third-party-${option('node')}`,
    publishDeath: true,
    keepalive: 30,
  });
  client.on('connect', () => say({ event: 'connected' }));
  client.on('close', () => say({ event: 'closed' }));
  client.on('error', (error) => say({ event: 'error', why: String(error) }));
  client.on('birth', born);
  client.on('ncmd', (payload) => {
    const asked = (payload.metrics ?? []).some((metric) => metric.name === 'Node Control/Rebirth' && metric.value === true);
    if (!asked) return;
    say({ event: 'rebirth_requested' });
    if (answers) born();
  });
};

const optionsOf = (order) => (order.compress ? { compress: true, algorithm: order.compress } : defaults);

const orders = {
  node_metrics: (order) => {
    nodeMetrics = order.metrics;
  },
  connect,
  device_birth: (order) => {
    devices.set(order.device, new Map(order.metrics.map((metric) => [metric.name, metric])));
    client.publishDeviceBirth(order.device, payloadOf(order.metrics), optionsOf(order));
  },
  device_data: (order) => {
    if (!order.birthless) remember(order.device, order.metrics);
    client.publishDeviceData(order.device, payloadOf(order.metrics), optionsOf(order));
  },
  node_data: (order) => client.publishNodeData(payloadOf(order.metrics), optionsOf(order)),
  device_death: (order) => {
    devices.delete(order.device);
    client.publishDeviceDeath(order.device, { timestamp: Date.now() });
  },
  many: (order) => {
    for (let i = 0; i < order.count; ++i) {
      const metrics = order.metrics.map(({ step, ...metric }) => ({
        ...metric,
        timestamp: metric.timestamp + i * order.interval,
        value: step ? Math.round((metric.value + i * step) * 100) / 100 : metric.value,
      }));
      remember(order.device, metrics);
      client.publishDeviceData(order.device, payloadOf(metrics), optionsOf(order));
    }
  },
  lose: () => client.incrementSeqNum(),
  rebirth: born,
  answer_rebirths: (order) => {
    answers = order.yes;
  },
  cut: () => client.client.stream.destroy(),
  stop: () => client.stop(),
};

createInterface({ input: process.stdin })
  .on('line', (line) => {
    const order = JSON.parse(line);
    try {
      if (!(order.do in orders)) throw new Error(`there is no order '${order.do}'`);
      orders[order.do](order);
      say({ event: 'done', id: order.id });
    } catch (error) {
      say({ event: 'failed', id: order.id, why: String(error) });
    }
  })
  .on('close', () => {
    client?.client.end(true);
    process.exit(0);
  });
