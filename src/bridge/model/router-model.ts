import type { Clock } from '../../base/index.ts'
import type { RouterOs } from '../../routeros/index.ts'
import type { SupportedModel } from '../../usp/index.ts'
import { MAPPINGS } from '../mapping/index.ts'
import type { RouterReads } from './bridged-model.ts'
import type { InstanceNumbers } from './instance-numbers.ts'
import { MenuReader } from './menu-reader.ts'
import { findFacts, type RouterFacts } from './router-facts.ts'
import { RouterReading } from './router-reading.ts'
import { supportedOf } from './shared-supported.ts'
import type { Served, SupportedObjects } from './supported-objects.ts'
import { TableRows } from './table-rows.ts'

interface RouterModelOptions {
  router: RouterOs
  numbers: InstanceNumbers
  /** Time of the bridge. */
  clock: Clock
  served: Served
}

/** A router as it was found when the bridge connected: all that readings and writes go by. */
interface FoundRouter {
  readonly facts: RouterFacts
  readonly supported: SupportedObjects
  readonly menus: MenuReader
  readonly tables: TableRows
  readonly reading: RouterReading
}

/** The readable model of one router. The router is looked at before the first answer, and again after `renew`. */
export class RouterModel implements RouterReads {
  readonly #options: RouterModelOptions
  #found: Promise<FoundRouter> | undefined
  #supported: SupportedModel | undefined

  constructor(options: RouterModelOptions) {
    this.#options = options
  }

  /** Resolves with the router as it was found; AgentError when it does not answer: it is looked at again then. */
  found(): Promise<FoundRouter> {
    if (this.#found !== undefined) return this.#found
    const found = this.#find()
    this.#found = found
    found.catch(() => {
      if (this.#found === found) this.#found = undefined
    })
    return found
  }

  /** Forgets how the router was found: it may have another version and other packages since it was connected anew. */
  renew(): void {
    this.#found = undefined
  }

  /**
   * Resolves with the supported model: while the router does not answer, with that of the time before. AgentError when
   * it has never answered.
   */
  async supported(): Promise<SupportedModel> {
    try {
      this.#supported = (await this.found()).supported
    } catch (error) {
      if (this.#supported === undefined) throw error
    }
    return this.#supported
  }

  /** Resolves with the full paths of the rows of a table; AgentError when the router does not answer. */
  async instances(table: string): Promise<readonly string[]> {
    return (await this.found()).reading.instances(table)
  }

  /** Resolves with the values of those parameters that exist; AgentError when the router does not answer. */
  async get(paths: readonly string[]): Promise<ReadonlyMap<string, string>> {
    return (await this.found()).reading.get(paths)
  }

  async #find(): Promise<FoundRouter> {
    const { router, numbers, clock, served } = this.#options
    const facts = await findFacts(router, MAPPINGS)
    const supported = supportedOf(facts, served)
    const menus = new MenuReader(router, clock, supported.together())
    const tables = new TableRows(menus, facts, supported, numbers)
    const reading = new RouterReading(supported, tables, () => clock.now())
    return { facts, supported, menus, tables, reading }
  }
}
