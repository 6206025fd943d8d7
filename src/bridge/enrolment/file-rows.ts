import { join } from 'node:path'
import { AppError, type Clock, errorText, type Log } from '../../base/index.ts'
import { encodePart, placeOf, readRouterTable } from '../../domain/index.ts'
import type { AgentController, AgentProof, FoundState, RouterRow, RouterRows } from '../agents/router-rows.ts'
import { readIfThere } from '../files/durable-file.ts'

interface FileRowsOptions {
  /** The table of routers, see `readRouterTable`. */
  file: string
  controllers: readonly AgentController[]
  /** Folder with `<Endpoint ID, percent-encoded>.pem`: certificate and key of an Agent. Undefined: links have none. */
  certificates: string | undefined
  clock: Clock
  log: Log
}

const LOOK_MS = 5000

/** The routers of a file. It is read again when its contents change; a file that cannot be read leaves those before. */
export class FileRows implements RouterRows {
  readonly controllers: readonly AgentController[]
  readonly #options: FileRowsOptions
  #onRows: (rows: readonly RouterRow[]) => void = () => undefined
  #text: string | undefined
  #revisions = new Map<string, { row: string; revision: number }>()
  #cancel: (() => void) | undefined
  #failure: string | undefined

  constructor(options: FileRowsOptions) {
    this.controllers = options.controllers
    this.#options = options
  }

  /** AppError `invalid` with the lines that are wrong when the file cannot be used. */
  async start(onRows: (rows: readonly RouterRow[]) => void): Promise<void> {
    this.#onRows = onRows
    await this.#read()
    this.#plan()
  }

  async stop(): Promise<void> {
    this.#cancel?.()
    this.#cancel = undefined
  }

  /** States of routers of a file are in the log. */
  report(routerId: string, { reachable, identity, missingRights, ways, lastError }: FoundState): void {
    const fields = { router: routerId, reachable, endpointId: identity?.endpointId, missingRights, ways, lastError }
    this.#options.log.info(fields, 'the state of a router')
  }

  forget(): void {
    // Nothing is kept.
  }

  async proofOf(_routerId: string, endpointId: string): Promise<AgentProof | undefined> {
    const { certificates } = this.#options
    if (certificates === undefined) return undefined
    const path = join(certificates, `${encodePart(endpointId)}.pem`)
    const pem = await readIfThere(path)
    if (pem === undefined)
      throw new AppError('conflict', `there is no certificate for ${endpointId}: put one at ${path}`)
    return { certificate: pem, key: pem }
  }

  #plan(): void {
    this.#cancel = this.#options.clock.after(LOOK_MS, () => {
      this.#read()
        .then(() => {
          this.#failure = undefined
        })
        .catch((error: unknown) => this.#failed(error))
        .finally(() => this.#cancel !== undefined && this.#plan())
    })
  }

  #failed(error: unknown): void {
    const reason = errorText(error)
    if (reason !== this.#failure)
      this.#options.log.error({ reason }, 'the file of routers cannot be used; those before stay')
    this.#failure = reason
  }

  async #read(): Promise<void> {
    const { file } = this.#options
    const text = await readIfThere(file)
    if (text === undefined) throw new AppError('invalid', `there is no file ${file} with routers`)
    if (text === this.#text) return
    const table = readRouterTable(text)
    if ('problems' in table)
      throw new AppError(
        'invalid',
        table.problems.map((problem) => `${file} line ${problem.line}: ${problem.text}`).join('; '),
      )
    this.#text = text
    const before = this.#revisions
    this.#revisions = new Map()
    this.#onRows(
      table.routers.map(({ login, ...settings }) => {
        const id = placeOf(settings)
        const row = JSON.stringify([settings, login])
        const known = before.get(id)
        const revision = known === undefined ? 1 : known.row === row ? known.revision : known.revision + 1
        this.#revisions.set(id, { row, revision })
        return { id, ...settings, login, revision }
      }),
    )
  }
}
