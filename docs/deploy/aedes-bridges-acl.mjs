// Rights at aedes where a server takes the telemetry of bridges, the same as in mosquitto-bridges.acl: pass both functions to
// Aedes.createBroker. `client.user` is the name that your own `authenticate` has found to be true and has put there; that of a
// bridge is its id at the server.

const PREFIX = 'network/mikrotik'
const published = (bridge) => [
  `${PREFIX}/${bridge}/_bridge/state`,
  ...['telemetry/+', 'state/+', 'event/+', 'response/#'].map((rest) => `${PREFIX}/${bridge}/+/${rest}`),
]
const commands = (bridge) => [`${PREFIX}/${bridge}/+/command/+`]

/** A topic, or a filter of a subscription, lies within a filter: it means nothing that the filter does not mean. */
function within(filter, one) {
  const [allowed, asked] = [filter.split('/'), one.split('/')]
  for (const [i, level] of allowed.entries()) {
    if (level === '#') return asked.length > i
    if (asked[i] === undefined || asked[i] === '#' || (level !== '+' && level !== asked[i])) return false
  }
  return asked.length === allowed.length
}

/** The filters of a user: the server, the operator, or a bridge below its own id. */
function rightsOf(user) {
  if (user === 'isthmus-server') return { publish: [], subscribe: published('+') }
  if (user === 'isthmus-operator') return { publish: commands('+'), subscribe: published('+') }
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(user)) return { publish: [], subscribe: [] }
  return { publish: published(user), subscribe: commands(user) }
}

export function authorizePublish(client, packet, done) {
  const { publish } = rightsOf(String(client?.user ?? ''))
  // A client without the right is disconnected.
  done(publish.some((filter) => within(filter, packet.topic)) ? null : new Error('not allowed to publish here'))
}

export function authorizeSubscribe(client, subscription, done) {
  const { subscribe } = rightsOf(String(client?.user ?? ''))
  // null refuses this subscription alone.
  done(null, subscribe.some((filter) => within(filter, subscription.topic)) ? subscription : null)
}
