import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { AppError, type Clock } from '../../base/index.ts'
import type { AgentProof } from '../agents/router-rows.ts'
import { readIfThere, writeDurably } from '../files/durable-file.ts'
import type { HeldCertificate } from './server-answers.ts'

interface CertificateDeps {
  folder: string
  clock: Pick<Clock, 'now'>
  /** Resolves with the certificates that the server gives, or with its reasons, by router. */
  order(routerIds: readonly string[]): Promise<Map<string, HeldCertificate | { refused: string }>>
}

/** An order that waits, with those that wait for it. */
interface Waiting {
  resolve(held: HeldCertificate): void
  reject(error: unknown): void
}

/** Orders that come within this time go out together. */
const GATHER_MS = 200
const MAX_ORDER = 100

/**
 * The certificates of Agents, each in a file of the state folder. One is ordered when there is none, and again when two
 * thirds of its life have passed; the one that is there serves until then, also while the server is away.
 */
export class AgentCertificates {
  readonly #deps: CertificateDeps
  readonly #held = new Map<string, HeldCertificate>()
  readonly #waiting = new Map<string, Waiting[]>()
  #timer: NodeJS.Timeout | undefined

  constructor(deps: CertificateDeps) {
    this.#deps = deps
  }

  /** AppError `conflict` with the reason of the server when it gives none. */
  async proofOf(routerId: string, endpointId: string, key: string): Promise<AgentProof> {
    const held = await this.#load(endpointId)
    const now = this.#deps.clock.now()
    if (held !== undefined && now < held.renewAt) return { certificate: held.certificate, key }
    try {
      const made = await this.#order(routerId)
      await writeDurably(this.#pathOf(endpointId), `${JSON.stringify(made)}\n`)
      this.#held.set(endpointId, made)
      return { certificate: made.certificate, key }
    } catch (error) {
      const isRefused = error instanceof AppError && error.code === 'conflict'
      if (held === undefined || isRefused || now >= held.notAfter) throw error
      return { certificate: held.certificate, key }
    }
  }

  /** Forgets all: the bridge has other keys. */
  clear(): void {
    this.#held.clear()
  }

  stop(): void {
    clearTimeout(this.#timer)
    for (const waiting of this.#waiting.values())
      for (const { reject } of waiting) reject(new AppError('unavailable', 'the bridge stops'))
    this.#waiting.clear()
  }

  async #load(endpointId: string): Promise<HeldCertificate | undefined> {
    const known = this.#held.get(endpointId)
    if (known !== undefined) return known
    const text = await readIfThere(this.#pathOf(endpointId))
    if (text === undefined) return undefined
    const held = parse(text)
    if (held !== undefined) this.#held.set(endpointId, held)
    return held
  }

  #order(routerId: string): Promise<HeldCertificate> {
    return new Promise((resolve, reject) => {
      const waiting = this.#waiting.get(routerId) ?? []
      waiting.push({ resolve, reject })
      this.#waiting.set(routerId, waiting)
      this.#timer ??= setTimeout(() => void this.#send(), GATHER_MS)
    })
  }

  async #send(): Promise<void> {
    this.#timer = undefined
    const taken = [...this.#waiting].slice(0, MAX_ORDER)
    for (const [routerId] of taken) this.#waiting.delete(routerId)
    if (this.#waiting.size > 0) this.#timer = setTimeout(() => void this.#send(), GATHER_MS)
    try {
      const made = await this.#deps.order(taken.map(([routerId]) => routerId))
      for (const [routerId, waiting] of taken) {
        const one = made.get(routerId)
        for (const { resolve, reject } of waiting) {
          if (one === undefined) reject(new AppError('unavailable', 'the server named no certificate for this router'))
          else if ('refused' in one) reject(new AppError('conflict', one.refused))
          else resolve(one)
        }
      }
    } catch (error) {
      for (const [, waiting] of taken) for (const { reject } of waiting) reject(error)
    }
  }

  /** A file per Endpoint ID: its text may hold what no file name may. */
  #pathOf(endpointId: string): string {
    const name = createHash('sha256').update(endpointId).digest('hex').slice(0, 32)
    return join(this.#deps.folder, 'certificates', `${name}.json`)
  }
}

/** A file that cannot be read is as none: a certificate is ordered anew. */
function parse(text: string): HeldCertificate | undefined {
  try {
    const { certificate, notAfter, renewAt } = JSON.parse(text) as Partial<HeldCertificate>
    if (typeof certificate !== 'string' || typeof notAfter !== 'number' || typeof renewAt !== 'number') return undefined
    return { certificate, notAfter, renewAt }
  } catch {
    return undefined
  }
}
