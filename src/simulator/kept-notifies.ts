import { join } from 'node:path'
import { AppError, errorText, type Log } from '../base/index.ts'
import { NotifyFile, type NotifyStore } from '../usp/index.ts'

/** The notifications that the Agents of a fleet owe, beside its flash memory; opened when the first Agent needs it. */
export class KeptNotifies {
  readonly #path: string
  readonly #log: Log
  #file: Promise<NotifyFile> | undefined
  #isClosed = false

  constructor(dir: string, log: Log) {
    this.#path = join(dir, 'notifies.log')
    this.#log = log
  }

  storeOf(endpointId: string): NotifyStore {
    const store = async () => (await this.#open()).storeOf(endpointId)
    return {
      load: async () => (await store()).load(),
      put: async (owed) => (await store()).put(owed),
      remove: async (msgId) => (await store()).remove(msgId),
    }
  }

  /** Closes the file soon; an Agent that is still at work cannot open it again. */
  close(): void {
    this.#isClosed = true
    this.#file
      ?.then((file) => file.close())
      .catch((error: unknown) => this.#log.warn({ reason: errorText(error) }, 'the kept notifications were not closed'))
  }

  /** Like the flash memory, the file outlives the process and not the machine. */
  async #open(): Promise<NotifyFile> {
    if (this.#isClosed) throw new AppError('unavailable', `${this.#path} is closed`)
    this.#file ??= NotifyFile.open(this.#path, this.#log, { synced: false })
    return this.#file
  }
}
