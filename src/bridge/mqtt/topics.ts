/** Names of routers in topics. */
const ID = /^[A-Za-z0-9_-]{1,64}$/
/** Stands in the place of a router for the bridge itself. */
const BRIDGE = '_bridge'
/** A level of a Response Topic below that of the responses of a router. */
const LEVELS = /^[A-Za-z0-9_-]{1,64}(\/[A-Za-z0-9_-]{1,64}){0,3}$/

/** Returns the name of a router in topics, by the id of its row; undefined when it can have none. */
export function topicIdOf(rowId: string): string | undefined {
  const id = ID.test(rowId) ? rowId : rowId.replaceAll(/[^A-Za-z0-9_-]+/g, '-').replaceAll(/^-+|-+$/g, '')
  return ID.test(id) && id !== BRIDGE ? id : undefined
}

/** The topics of a bridge, below a prefix such as `network/mikrotik`. */
export class Topics {
  readonly #prefix: string

  constructor(prefix: string) {
    this.#prefix = prefix
  }

  /** The state of the bridge itself: `online`, or `offline` by its Last Will. */
  get bridgeState(): string {
    return `${this.#prefix}/${BRIDGE}/state`
  }

  /** The filter for the commands of all routers. */
  get commands(): string {
    return `${this.#prefix}/+/command/+`
  }

  /** Returns a topic of a router, e.g. `state/online`. */
  of(id: string, rest: string): string {
    return `${this.#prefix}/${id}/${rest}`
  }

  /** Returns the name of the router and the verb of a topic of commands; undefined for any other. */
  commandAt(topic: string): { id: string; verb: string } | undefined {
    if (!topic.startsWith(`${this.#prefix}/`)) return undefined
    const [id = '', kind, verb = '', ...more] = topic.slice(this.#prefix.length + 1).split('/')
    return ID.test(id) && kind === 'command' && /^[a-z_]{1,32}$/.test(verb) && more.length === 0
      ? { id, verb }
      : undefined
  }

  /** Returns true for a Response Topic that a command of a router may name: one below its responses. */
  isResponse(id: string, topic: string): boolean {
    const own = this.of(id, 'response/')
    return topic.startsWith(own) && LEVELS.test(topic.slice(own.length))
  }
}
