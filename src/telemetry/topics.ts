/** A level of a topic that names a bridge, a router, a metric or an event. */
const LEVEL = /^[A-Za-z0-9_-]{1,64}$/
/** Stands in the place of a router for the bridge itself. */
const BRIDGE = '_bridge'
const KINDS = ['telemetry', 'state', 'event', 'response'] as const

/** The kinds of messages that a bridge publishes; `bridge`: the state of the bridge itself. */
export type TelemetryKind = (typeof KINDS)[number] | 'bridge'

/** A topic as the server reads it. */
export type TelemetryTopic =
  | { readonly kind: 'bridge'; readonly bridgeId: string }
  | {
      readonly kind: (typeof KINDS)[number]
      readonly bridgeId: string
      /** Id of the row of the router. */
      readonly router: string
      /** The metric, state, event or verb. */
      readonly name: string
    }

/**
 * The topics of all bridges below a prefix: `<prefix>/<id of the bridge>/` is the prefix that a bridge publishes with, so
 * that the rights of the broker decide which bridge a message comes from.
 */
export class TelemetryTopics {
  readonly #prefix: string

  constructor(prefix: string) {
    this.#prefix = prefix
  }

  /** The filters of all messages that are wanted. */
  get filters(): readonly string[] {
    return [`${this.#prefix}/+/${BRIDGE}/state`, ...KINDS.map((kind) => `${this.#prefix}/+/+/${kind}/+`)]
  }

  /** Returns the parts of a topic; undefined for one that no bridge publishes. */
  read(topic: string): TelemetryTopic | undefined {
    if (!topic.startsWith(`${this.#prefix}/`)) return undefined
    const [bridgeId = '', router = '', kind = '', name, ...more] = topic.slice(this.#prefix.length + 1).split('/')
    if (!LEVEL.test(bridgeId) || !LEVEL.test(router) || more.length > 0) return undefined
    if (router === BRIDGE) return kind === 'state' && name === undefined ? { kind: 'bridge', bridgeId } : undefined
    const found = KINDS.find((one) => one === kind)
    return found === undefined || name === undefined || !LEVEL.test(name)
      ? undefined
      : { kind: found, bridgeId, router, name }
  }
}
