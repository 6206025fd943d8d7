// Rights at aedes for the MQTT bridge of Isthmus, the same as in mosquitto.acl: pass both functions to Aedes.createBroker.
// `client.user` is the name that your own `authenticate` has found to be true and has put there.

const PREFIX = 'network/mikrotik'
const ALL = ['telemetry/+', 'state/+', 'event/+'].map((rest) => `${PREFIX}/+/${rest}`)
const BRIDGE = `${PREFIX}/_bridge/state`
const COMMANDS = `${PREFIX}/+/command/+`
const RESPONSES = `${PREFIX}/+/response/#`

const PUBLISH = {
  'isthmus-bridge': [BRIDGE, RESPONSES, ...ALL],
  'isthmus-operator': [COMMANDS],
}
const SUBSCRIBE = {
  'isthmus-bridge': [COMMANDS],
  'isthmus-operator': [BRIDGE, RESPONSES, ...ALL],
  'isthmus-viewer': [BRIDGE, ...ALL],
}

/** A topic, or a filter of a subscription, lies within a filter: it means nothing that the filter does not mean. */
function within(filter, one) {
  const [allowed, asked] = [filter.split('/'), one.split('/')]
  for (const [i, level] of allowed.entries()) {
    if (level === '#') return asked.length > i
    if (asked[i] === undefined || asked[i] === '#' || (level !== '+' && level !== asked[i])) return false
  }
  return asked.length === allowed.length
}

/** Any other user is a router or a tenant: it reads the router that has its user name, and publishes nothing. */
function ownOf(user) {
  return /^[A-Za-z0-9_-]{1,64}$/.test(user) ? ALL.map((filter) => filter.replace('+', user)) : []
}

export function authorizePublish(client, packet, done) {
  const filters = PUBLISH[client?.user] ?? []
  // A client without the right is disconnected.
  done(filters.some((filter) => within(filter, packet.topic)) ? null : new Error('not allowed to publish here'))
}

export function authorizeSubscribe(client, subscription, done) {
  const filters = SUBSCRIBE[client?.user] ?? ownOf(String(client?.user ?? ''))
  // null refuses this subscription alone.
  done(null, filters.some((filter) => within(filter, subscription.topic)) ? subscription : null)
}
