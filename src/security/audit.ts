import { createHash } from 'node:crypto'

/** Results of what an audit entry describes. */
export const AUDIT_RESULTS = ['ok', 'refused', 'failed'] as const

/** One entry of the audit log: an actor, its action, the target and the result. Append-only and hash-chained. */
export interface AuditEntry {
  at: number
  /** e.g. `apiKey:01h...`, `planner:01h...`, `system`. */
  actor: string
  /** e.g. `operation.set`, `plan.start`, `subscription.add`, `group.delete`. */
  action: string
  /** Device, plan, group or key id. */
  target: string
  before?: Record<string, unknown>
  after?: Record<string, unknown>
  result: (typeof AUDIT_RESULTS)[number]
  reason?: string
}

/** An entry in its place in the chain. */
export interface ChainedEntry extends AuditEntry {
  /** 1, 2, 3, ... without gaps. */
  seq: number
  previous: string
  hash: string
}

/** The log of audit entries. `append` is durable when it resolves. */
export interface AuditLog {
  append(entry: AuditEntry): Promise<void>
  /** Like `append`, for an entry that nobody waits for: it shares a write with others of the same tenth of a second. */
  appendSoon(entry: AuditEntry): Promise<void>
  /** A page of entries, the newest first; `cursor` is `next` of the page before. */
  list(query: {
    target?: string
    actor?: string
    limit: number
    cursor?: string
  }): Promise<{ items: ChainedEntry[]; next?: string }>
  /**
   * Follows the chain from its beginning, or on from the last entry of an earlier answer, which must still stand there
   * (else `firstBroken` is its seq); through so many entries at the most.
   */
  verify(limit: number, from?: ChainEnd): Promise<Verification>
}

/** An entry of the chain, by its place and its hash. */
export type ChainEnd = Pick<ChainedEntry, 'seq' | 'hash'>

/**
 * The result of following the chain. It does not show that entries were cut off at the end: keep `lastHash` elsewhere
 * to notice that.
 */
export interface Verification {
  /** Number of entries that follow from each other, counted from the first of the log. */
  entries: number
  /** The hash of the last of them. */
  lastHash: string
  /** The seq of the first entry that does not follow: it was changed, or the one before it is missing. */
  firstBroken?: number
  /** The chain has more entries: follow it from the last one of these. */
  more?: true
}

/**
 * The key of the chain, and the first entry that is hashed with it: access to the database alone is not enough to
 * compute the chain again. Entries of earlier versions are hashed without a key, and the hash of the last of them is
 * kept.
 */
export interface ChainKey {
  /** The seq of the first entry whose hash is keyed. */
  readonly keyedFrom: number
  /** The hash of the entry before it. */
  readonly anchor: string
  /** HMAC-SHA-256 of a text, in hex. */
  mac(text: string): string
}

/** The hash before the first entry. */
export const GENESIS = '0'.repeat(64)

/**
 * Puts an entry behind the one with hash `previous`: HMAC-SHA-256, or before the key SHA-256, over the previous hash
 * and the entry's JSON with sorted keys.
 */
export function chain(entry: AuditEntry, seq: number, previous: string, key: ChainKey): ChainedEntry {
  const text = previous + canonical({ ...entry, seq })
  const hash = seq < key.keyedFrom ? createHash('sha256').update(text).digest('hex') : key.mac(text)
  return { ...entry, seq, previous, hash }
}

/**
 * Follows a chain in order of `seq`, to its end or to the first entry that does not follow from the one before. `from`
 * is the one before the first.
 */
export async function verifyChain(
  entries: AsyncIterable<ChainedEntry> | Iterable<ChainedEntry>,
  key: ChainKey,
  from: ChainEnd = { seq: 0, hash: GENESIS },
): Promise<Verification> {
  const held: Verification = { entries: from.seq, lastHash: from.hash }
  for await (const { hash, previous, seq, ...entry } of entries) {
    const follows = seq === held.entries + 1 && previous === held.lastHash
    const isAnchored = seq !== key.keyedFrom - 1 || hash === key.anchor
    if (!follows || !isAnchored || chain(entry, seq, previous, key).hash !== hash) return { ...held, firstBroken: seq }
    held.entries = seq
    held.lastHash = hash
  }
  return held
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (value !== null && typeof value === 'object') {
    const parts = Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`)
    return `{${parts.join(',')}}`
  }
  return JSON.stringify(value)
}

/**
 * Appends an entry and then does the work that it describes, so that every change has an entry. Work that fails has a
 * second entry with the reason.
 */
export async function audited<T>(
  audit: AuditLog,
  entry: Omit<AuditEntry, 'result' | 'reason'>,
  work: () => Promise<T>,
): Promise<T> {
  await audit.append({ ...entry, result: 'ok' })
  try {
    return await work()
  } catch (error) {
    await audit.append({ ...entry, result: 'failed', reason: error instanceof Error ? error.message : String(error) })
    throw error
  }
}
