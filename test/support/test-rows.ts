import type { AgentController } from '../../src/bridge/agents/router-rows.ts'
import type { FoundState, RouterRow, RouterRows } from '../../src/bridge/index.ts'

/** The routers and Controllers of a bridge that a test names, without a server. */
export class TestRows implements RouterRows {
  controllers: AgentController[] = []
  /** States in the order in which they were reported. */
  readonly states: FoundState[] = []
  readonly #rows: RouterRow[]
  #onRows: (rows: readonly RouterRow[]) => void = () => undefined

  constructor(rows: RouterRow[]) {
    this.#rows = rows
  }

  async start(onRows: (rows: readonly RouterRow[]) => void): Promise<void> {
    this.#onRows = onRows
    this.changed()
  }

  /** Shows the rows again, with the Controllers of now. */
  changed(): void {
    this.#onRows(this.#rows)
  }

  async stop(): Promise<void> {
    this.#onRows = () => undefined
  }

  report(_id: string, state: FoundState): void {
    this.states.push(state)
  }

  async proofOf(): Promise<undefined> {
    return undefined
  }

  forget(): void {
    // Nothing is kept.
  }
}

/** The row of a router of this machine with the plain API. */
export function rowOf(
  port: number,
  login: { username: string; password: string },
  policy: RouterRow['policy'],
): RouterRow {
  return { id: 'one', address: '127.0.0.1', port, transport: 'api', policy, tags: [], mqtt: false, revision: 1, login }
}
