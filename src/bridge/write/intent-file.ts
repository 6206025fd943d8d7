import { Journal } from '../model/journal.ts'
import type { IntendedStep, Intent, IntentStore, Outlives } from './intents.ts'

type Entry = { begin: readonly IntendedStep[]; reach?: number } | { reach: number } | { end: true }

/** The intent that is not ended, as far as it is on the disk. */
interface State {
  open: Intent | undefined
}

/** The intents of one router in a file of their own. */
export class IntentFile implements IntentStore {
  readonly #journal: Journal<Entry>
  readonly #state: State

  private constructor(journal: Journal<Entry>, state: State) {
    this.#journal = journal
    this.#state = state
  }

  /** Opens the file at a path, which need not be there. AppError when it cannot be read. */
  static async open(path: string): Promise<IntentFile> {
    const state: State = { open: undefined }
    const take = (entry: Entry) => {
      state.open = after(state.open, entry)
    }
    return new IntentFile(await Journal.open<Entry>(path, take, () => wholeOf(state)), state)
  }

  get open(): Intent | undefined {
    return this.#state.open
  }

  async begin({ steps, begun }: Intent, outlives: Outlives): Promise<void> {
    const entry: Entry = { begin: steps, reach: begun }
    await (outlives === 'machine' ? this.#journal.append(entry) : this.#journal.write(entry))
    this.#state.open = after(this.#state.open, entry)
  }

  reach(begun: number): Promise<void> {
    return this.#append({ reach: begun })
  }

  end(): Promise<void> {
    return this.#append({ end: true })
  }

  /** Length of the file in bytes. */
  get bytes(): number {
    return this.#journal.bytes
  }

  /** Resolves when the file is closed. */
  close(): Promise<void> {
    return this.#journal.close()
  }

  async #append(entry: Entry): Promise<void> {
    await this.#journal.append(entry)
    this.#state.open = after(this.#state.open, entry)
  }
}

function wholeOf({ open }: State): Entry[] {
  return open === undefined ? [] : [{ begin: open.steps, reach: open.begun }]
}

function after(open: Intent | undefined, entry: Entry): Intent | undefined {
  if ('begin' in entry) return { steps: entry.begin, begun: entry.reach ?? 0 }
  return 'reach' in entry && open !== undefined ? { ...open, begun: entry.reach } : undefined
}
