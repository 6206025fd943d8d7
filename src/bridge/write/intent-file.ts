import { Journal } from '../model/journal.ts'
import type { IntendedStep, Intent, IntentStore } from './intents.ts'

type Entry = { begin: readonly IntendedStep[] } | { reach: number } | { end: true }

/** Requests after which the file is begun anew. */
const MAX_REQUESTS = 1000

/** The intents of one router in a file of their own. */
export class IntentFile implements IntentStore {
  readonly #path: string
  #journal: Journal<Entry>
  #open: Intent | undefined
  #requests = 0

  private constructor(path: string, journal: Journal<Entry>, open: Intent | undefined) {
    this.#path = path
    this.#journal = journal
    this.#open = open
  }

  /** Opens the file at a path, which need not be there. AppError when it cannot be read. */
  static async open(path: string): Promise<IntentFile> {
    const { journal, open } = await read(path)
    return new IntentFile(path, journal, open)
  }

  get open(): Intent | undefined {
    return this.#open
  }

  async begin(steps: readonly IntendedStep[]): Promise<void> {
    // A file that is opened again is written anew when it is long.
    if (++this.#requests % MAX_REQUESTS === 0) {
      await this.#journal.close()
      this.#journal = (await read(this.#path)).journal
    }
    return this.#append({ begin: steps })
  }

  reach(begun: number): Promise<void> {
    return this.#append({ reach: begun })
  }

  end(): Promise<void> {
    return this.#append({ end: true })
  }

  /** Resolves when the file is closed. */
  close(): Promise<void> {
    return this.#journal.close()
  }

  async #append(entry: Entry): Promise<void> {
    await this.#journal.append(entry)
    this.#open = after(this.#open, entry)
  }
}

async function read(path: string): Promise<{ journal: Journal<Entry>; open: Intent | undefined }> {
  let open: Intent | undefined
  const take = (entry: Entry) => {
    open = after(open, entry)
  }
  const whole = (): Entry[] => (open === undefined ? [] : [{ begin: open.steps }, { reach: open.begun }])
  const journal = await Journal.open<Entry>(path, take, whole)
  return { journal, open }
}

function after(open: Intent | undefined, entry: Entry): Intent | undefined {
  if ('begin' in entry) return { steps: entry.begin, begun: 0 }
  return 'reach' in entry && open !== undefined ? { ...open, begun: entry.reach } : undefined
}
