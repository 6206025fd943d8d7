import fc from 'fast-check'
import { expect } from 'vitest'
import { silentLog, systemClock } from '../../src/base/index.ts'
import {
  Confirmations,
  GuardedRouter,
  RouterModel,
  type RouterPolicy,
  RouterSide,
  servedBy,
} from '../../src/bridge/index.ts'
import { MENUS } from '../../src/bridge/menus/table.ts'
import { NO_METRICS } from '../../src/bridge/metrics/bridge-metrics.ts'
import { schemaPathOf } from '../../src/datamodel/index.ts'
import type { RouterCommand, RouterOs, RouterReply } from '../../src/routeros/index.ts'
import { AgentError, ModelRefusal } from '../../src/usp/index.ts'
import { BridgeRouter, MemoryIntents } from './bridge-router.ts'
import { forbidden, hostileText } from './hostile-words.ts'
import { MemoryInstanceNumbers } from './memory-instance-numbers.ts'
import { ScriptedRouterOs } from './scripted-router-os.ts'
import { TableRouter } from './table-router.ts'

/** Stands in texts of callers: it may be in values alone. */
export const MARK = 'Zq7x'
/** Stands in secrets of callers: it may be in values alone, and in no error, log line or reading. */
export const SECRET = 'S3cr3tS3cr3t'
const SECRET_NAMES = /Password|Passphrase/

const text = fc.oneof(
  hostileText,
  hostileText.map((one) => `${one}${MARK}`),
  hostileText.map((one) => `${MARK}${one}`),
)
const plausible = fc.oneof(
  fc.constantFrom('true', 'false', 'TCP', 'UDP', '22', '192.168.88.7', '255.255.255.0', '10.0.0.1', '-1', '36', 'None'),
  fc.constantFrom('WPA2-Personal', 'AnyTime', '0', '60', 'routeros-channel:stable', '203.0.113.9', '40MHz', MARK),
)

type Texts = Record<string, string>
type Request =
  | { kind: 'get'; path: string }
  | { kind: 'instances'; path: string }
  | { kind: 'delete'; path: string }
  | { kind: 'set'; path: string; value: string }
  | { kind: 'add'; path: string; values: Texts }
  | { kind: 'operate'; path: string; name: string; args: Texts }

/** A bridged router for requests of a caller who means harm. */
export interface Target {
  readonly model: RouterModel
  readonly side: RouterSide
  readonly intents: MemoryIntents
  /** Lines of the log as text. */
  readonly lines: string[]
  /** Commands since the last call. */
  taken(): readonly RouterCommand[]
}

function targetOf(router: RouterOs, taken: () => readonly RouterCommand[]): Target {
  const lines: string[] = []
  const take = (fields: unknown, message: string) => void lines.push(`${JSON.stringify(fields)} ${message}`)
  const log = { ...silentLog, debug: take, info: take, warn: take, error: take, child: () => log }
  const policy: RouterPolicy = {
    level: 3,
    firmwareHosts: ['firmware.example'],
    backupHosts: [],
    allowsLocalTargets: true,
  }
  const guarded = new GuardedRouter(router, () => 3)
  const numbers = new MemoryInstanceNumbers()
  const model = new RouterModel({ router: guarded, numbers, clock: systemClock, served: servedBy(() => []) })
  const intents = new MemoryIntents()
  const side = new RouterSide({
    name: 'router-1',
    router: guarded,
    model,
    numbers,
    intents,
    metrics: NO_METRICS,
    audit: { begun: async (entry) => take(entry, 'audit') },
    confirmations: new Confirmations(systemClock),
    policy: () => policy,
    clock: { ...systemClock, after: (_ms, callback) => systemClock.after(0, callback) },
    log,
    onRestart: () => undefined,
    onWritten: () => undefined,
    changes: () => () => undefined,
  })
  return { model, side, intents, lines, taken }
}

/**
 * Sends random requests to the model of a router, and checks every command that they lead to against a list of its own.
 * The router is one of version 7.18 that was read once and answers from memory, so that a million requests take minutes.
 */
export async function requestsSendOnlyListedWords(numRuns: number): Promise<Sent> {
  return hold(await targetInMemory(), numRuns)
}

/** Commands that random requests have led to, and those of them that write. */
export interface Sent {
  commands: number
  writes: number
}

/** Resolves with a router of version 7.18 that was read once and answers from memory. */
export async function targetInMemory(): Promise<Target> {
  const bridge = await BridgeRouter.start({ profile: 'v7.18' })
  const tables: TableRouter['tables'] = {}
  for (const menu of Object.keys(MENUS)) {
    const rows = await bridge.print(menu).catch(() => undefined)
    if (rows !== undefined) tables[menu] = [...rows]
  }
  await bridge.stop()
  const memory = new TableRouter(tables)
  const router = new ScriptedRouterOs((command) => answerOf(command, memory))
  return targetOf(router, () => router.commands.splice(0).map(({ command }) => command))
}

/** The same over the socket of an emulated router. */
export async function requestsOverASocket(bridge: BridgeRouter, numRuns: number): Promise<Sent> {
  return hold(
    targetOf(bridge.router, () => bridge.sent.splice(0)),
    numRuns,
  )
}

async function answerOf(command: RouterCommand, memory: TableRouter): Promise<RouterReply> {
  if (!command.path.endsWith('/print')) return { rows: [] }
  const reply = await memory.command(command)
  memory.commands.length = 0
  return reply
}

async function hold(target: Target, numRuns: number): Promise<Sent> {
  return sendsOnlyListedWords(target, await requestsOf(target), outcome, numRuns)
}

/** Does random requests; `act` resolves with all that the caller of one is shown. */
export async function sendsOnlyListedWords<T>(
  target: Target,
  request: fc.Arbitrary<T>,
  act: (target: Target, request: T) => Promise<string>,
  numRuns: number,
): Promise<Sent> {
  const count = { commands: 0, writes: 0 }
  await fc.assert(
    fc.asyncProperty(request, async (one) => {
      const said = await act(target, one)
      const commands = target.taken()
      for (const command of commands) {
        expect(forbidden(command)).toBeUndefined()
        const { args = {}, ...words } = command
        expect(JSON.stringify([words, Object.keys(args)])).not.toMatch(new RegExp(`${MARK}|${SECRET}`))
      }
      count.commands += commands.length
      count.writes += commands.filter(({ writes }) => writes).length
      expect(said).not.toContain(SECRET)
      expect(target.lines.splice(0).join()).not.toContain(SECRET)
      expect(JSON.stringify(target.intents.open ?? {})).not.toContain(SECRET)
    }),
    { numRuns },
  )
  return count
}

/** Does a request, and resolves with all that its caller is shown. */
async function outcome({ model, side }: Target, request: Request): Promise<string> {
  const { path } = request
  try {
    if (request.kind === 'get') return JSON.stringify([...(await model.get([path]))])
    if (request.kind === 'instances') return JSON.stringify(await model.instances(path))
    if (request.kind === 'delete') return await side.delete([path]).then(() => '')
    if (request.kind === 'add') return JSON.stringify(await side.add([{ table: path, values: request.values }]))
    if (request.kind === 'set') return await side.set([{ path, value: request.value }]).then(() => '')
    const { signal } = new AbortController()
    const { name, args } = request
    const by = { way: 'test' }
    const { done } = await side.operate({ object: path, name, isAsync: false, args, commandKey: 'k', by, signal })
    return JSON.stringify((await done).output)
  } catch (error) {
    if (error instanceof ModelRefusal) return JSON.stringify(error.problems)
    if (error instanceof AgentError) return error.message
    throw error
  }
}

/** Requests with the paths of a router, and with others. */
async function requestsOf({ model }: Target): Promise<fc.Arbitrary<Request>> {
  const supported = await model.supported()
  const objects: string[] = []
  for (const schema of supported.objects())
    if (!schema.includes('X_MIKROTIK_RouterOS')) objects.push(...(await objectsAt(model, schema)))
  const parameters = objects.flatMap((object) =>
    supported.parameters(schemaPathOf(object)).map((name) => object + name),
  )
  const written = parameters.filter((path) => supported.parameter(path)?.access === 'w')
  const tables = [...new Set(objects.filter((path) => /\.\d+\.$/.test(path)).map((path) => path.replace(/\d+\.$/, '')))]
  const commands = objects.flatMap((object) =>
    [...(supported.object(schemaPathOf(object))?.commands.values() ?? [])].map((command) => ({ object, command })),
  )
  const mutated = (paths: readonly string[]) =>
    fc.oneof(
      { arbitrary: fc.constantFrom(...paths), weight: 6 },
      { arbitrary: fc.tuple(fc.constantFrom(...paths), text).map(([path, tail]) => path + tail), weight: 1 },
      {
        arbitrary: fc.tuple(fc.constantFrom(...paths), text).map(([path, one]) => path.replace(/\d+/, one)),
        weight: 1,
      },
      { arbitrary: text, weight: 1 },
    )
  const value = fc.oneof(text, plausible, fc.constantFrom(...objects.map((path) => path.slice(0, -1))))
  const valueFor = (name: string) =>
    SECRET_NAMES.test(name) ? fc.constantFrom(SECRET, `${SECRET}\n`, `${SECRET}${'x'.repeat(300)}`) : value
  const valuesFor = (names: readonly string[]) =>
    fc.record(Object.fromEntries(names.map((name) => [name, valueFor(name)])), { requiredKeys: [] })
  const set = mutated(written).chain((path) =>
    valueFor(path).map((one): Request => ({ kind: 'set', path, value: one })),
  )
  const add = mutated(tables).chain((path) => {
    const names = supported
      .parameters(`${schemaPathOf(path)}{i}.`)
      .filter((name) => supported.parameter(`${schemaPathOf(path)}{i}.${name}`)?.access === 'w')
    return valuesFor(names).map((values): Request => ({ kind: 'add', path, values: present(values) }))
  })
  const operate = fc
    .tuple(fc.constantFrom(...commands), fc.dictionary(text, value, { maxKeys: 2 }), fc.boolean(), text)
    .chain(([{ object, command }, more, isOdd, odd]) =>
      valuesFor(command.input.map(({ name }) => name.replaceAll('{i}', '1'))).map(
        (args): Request => ({
          kind: 'operate',
          path: isOdd ? object + odd : object,
          name: command.name,
          args: { ...more, ...present(args) },
        }),
      ),
    )
  const read = fc
    .tuple(
      fc.constantFrom('get' as const, 'instances' as const, 'delete' as const),
      mutated([...parameters, ...objects, ...tables]),
    )
    .map(([kind, path]): Request => ({ kind, path }))
  return fc.oneof(
    { arbitrary: set, weight: 4 },
    { arbitrary: add, weight: 2 },
    { arbitrary: operate, weight: 2 },
    { arbitrary: read, weight: 2 },
  )
}

function present(values: Readonly<Record<string, string | undefined>>): Texts {
  return Object.fromEntries(Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined))
}

/** Resolves with the full paths of an object of the supported model. */
async function objectsAt(model: RouterModel, schema: string): Promise<string[]> {
  const [head = '', ...rest] = schema.split('{i}.')
  let paths = [head]
  for (const tail of rest) {
    const rows = await Promise.all(paths.map((path) => model.instances(path)))
    paths = rows
      .flat()
      .slice(0, 4)
      .map((path) => path + tail)
  }
  return paths
}
