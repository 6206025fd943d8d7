// Rights at aedes for the MQTT bridge of Isthmus, the same as in mosquitto.acl: pass both functions to Aedes.createBroker.
// `client.user` is the name that your own `authenticate` has found to be true and has put there.

const PREFIX = 'network/mikrotik'
const ROUTER = `${PREFIX}/[A-Za-z0-9_-]{1,64}`
const COMMANDS = new RegExp(`^${ROUTER}/command/[a-z_]+$`)
const OUTPUT = new RegExp(`^(${PREFIX}/_bridge/state|${ROUTER}/(response/[^+#]+|(telemetry|state|event)/[a-z_]+))$`)
const FILTERS = {
  'isthmus-bridge': [`${PREFIX}/+/command/+`],
  'isthmus-operator': ['response/#', 'telemetry/+', 'state/+', 'event/+'].map((rest) => `${PREFIX}/+/${rest}`),
  'isthmus-viewer': ['telemetry/+', 'state/+', 'event/+'].map((rest) => `${PREFIX}/+/${rest}`),
}

export function authorizePublish(client, packet, done) {
  const user = client?.user
  const may =
    (user === 'isthmus-bridge' && OUTPUT.test(packet.topic)) || (user === 'isthmus-operator' && COMMANDS.test(packet.topic))
  // A client without the right is disconnected.
  done(may ? null : new Error('not allowed to publish here'))
}

export function authorizeSubscribe(client, subscription, done) {
  const user = String(client?.user ?? '')
  const own = /^[A-Za-z0-9_-]{1,64}$/.test(user) ? ['telemetry/+', 'state/+', 'event/+'].map((rest) => `${PREFIX}/${user}/${rest}`) : []
  const filters = [...(FILTERS[user] ?? own), ...(FILTERS[user] && user !== 'isthmus-bridge' ? [`${PREFIX}/_bridge/state`] : [])]
  // null refuses the subscription alone.
  done(null, filters.includes(subscription.topic) ? subscription : null)
}
