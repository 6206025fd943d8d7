import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { silentLog } from '../../src/base/index.ts'
import { encodeSentence, SentenceReader } from '../../src/routeros/api/sentence.ts'
import { openApi, RouterOsError } from '../../src/routeros/index.ts'
import { type FakeConnection, FakeRouter, sentence } from '../support/fake-router.ts'
import { createManualClock } from '../support/manual-clock.ts'
import { until } from '../support/until.ts'

const LIMITS = { wordBytes: 1 << 20, sentenceBytes: 1 << 21, words: 1024 }

/** One piece of the answer of a hostile router: bytes of any kind, or a sentence to one of the open tags, or to none. */
const reply = fc.oneof(
  { weight: 30, arbitrary: fc.constantFrom('!re', '!re', '!re', '!done', '!done', '!trap', '!empty') },
  { weight: 1, arbitrary: fc.constantFrom('!fatal', '!what', '', 'done', '!') },
)
const word = fc.oneof(
  fc.string().map((text) => `=${text}`),
  fc.constantFrom(
    '=message=no such item',
    '=category=0',
    '=category=x',
    '=ret=*1',
    '=__proto__=x',
    '=name',
    '==',
    '.tag=',
  ),
  fc.string(),
)
const piece = fc.oneof(
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 40 }).map((bytes) => ({ bytes: Buffer.from(bytes) })) },
  {
    weight: 40,
    arbitrary: fc.record({
      reply,
      tag: fc.integer({ min: -1, max: 7 }),
      words: fc.array(word, { maxLength: 4 }),
      tagAt: fc.nat(4),
    }),
  },
)
const script = fc.record({
  pieces: fc.array(piece, { maxLength: 40, size: 'max' }),
  cuts: fc.array(fc.nat(60), { maxLength: 20 }),
  end: fc.constantFrom('FIN', 'RST', 'silence'),
})
type Script = typeof script extends fc.Arbitrary<infer T> ? T : never

function bytesOf({ pieces }: Script, tags: readonly string[]): Buffer {
  return Buffer.concat(
    pieces.map((one) => {
      if ('bytes' in one) return one.bytes
      const words = [...one.words]
      if (one.tag >= 0) words.splice(one.tagAt, 0, `.tag=${tags[one.tag] ?? 'gone'}`)
      return sentence(one.reply, ...words)
    }),
  )
}

/** Writes bytes in pieces of the given sizes, a turn of the loop apart, and then ends the connection. */
async function play({ socket, raw }: FakeConnection, bytes: Buffer, { cuts, end }: Script): Promise<void> {
  let from = 0
  for (const cut of cuts) {
    raw(bytes.subarray(from, from + cut))
    from += cut
    await new Promise((resolve) => setImmediate(resolve))
  }
  raw(bytes.subarray(from))
  if (end === 'FIN') socket.end()
  if (end === 'RST') socket.resetAndDestroy()
}

describe('a hostile router', () => {
  let router: FakeRouter
  beforeAll(async () => {
    router = await FakeRouter.start()
  })
  afterAll(async () => {
    await router.stop()
  })
  const open = (clock = createManualClock()) =>
    openApi(
      {
        host: '127.0.0.1',
        port: router.port,
        security: { kind: 'plain' },
        user: 'a',
        password: 'b',
        limits: { rows: 8, bytes: 400 },
      },
      { clock, log: silentLog },
    )

  it('settles every command and every stream, whatever it sends and however that is cut', async () => {
    await fc.assert(
      fc.asyncProperty(script, fc.nat(3), async (scene, aborted) => {
        router.heard.length = 0
        router.onLogin = ({ send }, _words, tag) => send(['!done', `.tag=${tag}`])
        const clock = createManualClock()
        const session = await open(clock)
        const abort = new AbortController()
        const outcomes: unknown[] = []
        const settle = (outcome: unknown) => void outcomes.push(outcome)
        for (let i = 0; i < 6; i++)
          void session
            .command(
              { path: `/c${i}/print`, writes: i % 3 === 0 },
              i === aborted ? { signal: abort.signal } : { deadlineMs: 1000 },
            )
            .then(settle, settle)
        for (let i = 0; i < 3; i++) session.stream({ path: `/s${i}/listen` }, { onRow: () => undefined, onEnd: settle })
        await until(() => router.paths.length >= 7, 5000, 1)
        abort.abort()
        const tags = router.heard.flatMap((words) =>
          words.flatMap((one) => (one.startsWith('.tag=') ? [one.slice(5)] : [])),
        )
        const connection = router.connections.at(-1)
        if (connection === undefined) throw new Error('no connection')
        await play(connection, bytesOf(scene, tags.slice(1)), scene)
        if (scene.end !== 'silence') await session.ended
        // Bytes that were written are there at the next turns of the loop.
        else for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve))
        clock.advance(20_000)
        void session.close()
        await session.ended
        await until(() => outcomes.length === 9, 5000, 1)
        const isKnown = (outcome: unknown) =>
          outcome === undefined || outcome instanceof RouterOsError || (outcome instanceof Object && 'rows' in outcome)
        expect(outcomes.filter((outcome) => !isKnown(outcome))).toEqual([])
        router.connections.length = 0
      }),
      { numRuns: 300 },
    )
  })

  it('lets no login hang, whatever it answers', async () => {
    await fc.assert(
      fc.asyncProperty(script, async (scene) => {
        const clock = createManualClock()
        const played = new Promise<void>((resolve) => {
          router.onLogin = (connection, _words, tag) =>
            void play(connection, bytesOf(scene, [tag]), scene).then(resolve, resolve)
        })
        const opening = open(clock).then(
          (session) => session.close(),
          (error: unknown) => error,
        )
        await played
        clock.advance(20_000)
        const error = await opening
        expect(error === undefined || error instanceof RouterOsError).toBe(true)
        router.connections.length = 0
      }),
      { numRuns: 200 },
    )
  })
})

describe('bytes of a router', () => {
  const sentences = fc.array(
    fc.array(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 300 }), { minLength: 1, maxLength: 6 }),
    {
      maxLength: 6,
    },
  )

  it('are the same sentences, however they are cut', () => {
    fc.assert(
      fc.property(sentences, fc.array(fc.nat(200), { maxLength: 30 }), (sent, cuts) => {
        const bytes = Buffer.concat(sent.map((words) => encodeSentence(words)))
        const reader = new SentenceReader(LIMITS)
        const read: string[][] = []
        let from = 0
        for (const cut of [...cuts, bytes.length]) {
          for (const { words } of reader.push(bytes.subarray(from, from + cut))) read.push(words)
          from += cut
        }
        expect(read).toEqual(sent)
      }),
      { numRuns: 500 },
    )
  })

  it('of any kind are sentences within the bounds, or a RouterOsError', () => {
    const limits = { wordBytes: 64, sentenceBytes: 128, words: 8 }
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 100 }), { maxLength: 20 }), (chunks) => {
        const reader = new SentenceReader(limits)
        try {
          for (const chunk of chunks)
            for (const { words, bytes } of reader.push(Buffer.from(chunk))) {
              expect(words.length).toBeLessThanOrEqual(limits.words)
              expect(bytes).toBeLessThanOrEqual(limits.sentenceBytes)
            }
        } catch (error) {
          expect(error).toBeInstanceOf(RouterOsError)
          expect(error).toMatchObject({ kind: 'protocol' })
        }
      }),
      { numRuns: 2000 },
    )
  })
})
