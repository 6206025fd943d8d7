import { join } from 'node:path'
import { readIfThere, writeDurably } from '../files/durable-file.ts'
import { LOCAL_AGENT } from '../model/local-agent.ts'
import type { LocalModel } from '../model/local-model.ts'
import type { AgentController } from './router-rows.ts'

type Values = Record<string, string>

/**
 * The Controller rows of an Agent that the bridge makes, one for each of its own Controllers. A row that a Controller has
 * deleted, or given to another Controller, is left as it is.
 */
export class OwnControllers {
  readonly #local: LocalModel
  readonly #path: string
  /** Endpoint IDs that the rows were made for, in order, as far as that is known. */
  #made: readonly string[]

  private constructor(local: LocalModel, path: string, made: readonly string[]) {
    this.#local = local
    this.#path = path
    this.#made = made
  }

  /** Reads what was made before from the folder of an Agent. */
  static async open(local: LocalModel, folder: string): Promise<OwnControllers> {
    const path = join(folder, 'controllers.json')
    return new OwnControllers(local, path, madeIn(await readIfThere(path)))
  }

  /**
   * Makes the rows, or brings them to these Controllers; the Agent goes on with the same subscriptions at another address
   * or Endpoint ID. Resolves when that is durable. After a kill in between the next call does the rest.
   */
  async follow(controllers: readonly AgentController[]): Promise<void> {
    const values: Values = {}
    for (const [index, controller] of controllers.entries())
      Object.assign(
        values,
        await this.#changes(`${LOCAL_AGENT}Controller.${index + 1}.`, controller, this.#made[index]),
      )
    if (Object.keys(values).length > 0) await this.#local.put(values)
    const made = controllers.map(({ endpointId }) => endpointId)
    if (JSON.stringify(made) === JSON.stringify(this.#made)) return
    await writeDurably(this.#path, `${JSON.stringify(made)}\n`)
    this.#made = made
  }

  /** Values of a row that are other ones than those of its Controller. */
  async #changes(row: string, controller: AgentController, before: string | undefined): Promise<Values> {
    const id = `${row}EndpointID`
    const named = (await this.#local.get([id])).get(id)
    const isOther = named !== controller.endpointId
    if (named === undefined)
      return before === undefined ? { ...firstOf(row, controller), ...addressOf(row, controller) } : {}
    if (isOther && named !== before) return {}
    const wanted = addressOf(row, controller)
    const present = await this.#local.get(Object.keys(wanted))
    const changed = Object.entries(wanted).filter(([path, value]) => present.has(path) && present.get(path) !== value)
    return {
      ...Object.fromEntries(changed),
      ...(isOther ? { [id]: controller.endpointId, [`${row}OnBoardingComplete`]: 'false' } : {}),
    }
  }
}

/** The values that a row begins with. */
function firstOf(row: string, { endpointId }: AgentController): Values {
  return {
    [`${row}EndpointID`]: endpointId,
    [`${row}Enable`]: 'true',
    [`${row}PeriodicNotifInterval`]: '300',
    [`${row}OnBoardingComplete`]: 'false',
    [`${row}MTP.1.Protocol`]: 'WebSocket',
    [`${row}MTP.1.Enable`]: 'true',
  }
}

function addressOf(row: string, { host, port, path, tls }: AgentController): Values {
  return {
    [`${row}MTP.1.WebSocket.Host`]: host,
    [`${row}MTP.1.WebSocket.Port`]: String(port),
    [`${row}MTP.1.WebSocket.Path`]: path,
    [`${row}MTP.1.WebSocket.EnableEncryption`]: String(tls),
  }
}

/** A file that cannot be read is as none: rows that name one of the Controllers are known by that. */
function madeIn(text: string | undefined): string[] {
  try {
    const made: unknown = JSON.parse(text ?? '[]')
    return Array.isArray(made) ? made.map(String) : []
  } catch {
    return []
  }
}
