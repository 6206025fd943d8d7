import type { ParameterType, PathOutcome } from '../../../domain/index.ts'
import type { CwmpFault } from '../../wire/index.ts'
import type { CpeNotes } from '../discovery/cpe-notes.ts'
import type { Answer, Session } from '../session/session.ts'
import { faultError, type ParameterTypes } from '../session/values.ts'

/** One value to write; its type where it is known better than by the model. */
export interface ValueToWrite {
  path: string
  value: string
  type?: ParameterType | undefined
}

/** The result of SetParameterValues: the written values, the refused ones, the last fault, and the highest Status. */
interface Written {
  written: ValueToWrite[]
  failures: PathOutcome[]
  fault?: CwmpFault
  status: number
}

interface WriteContext {
  types: ParameterTypes
  notes: CpeNotes
}

/**
 * Writes all values or none, as the RPC does (A.3.2.1). `key` becomes the ParameterKey of the CPE: every Inform then
 * names the last change.
 */
export async function writeAll(
  session: Session,
  list: ValueToWrite[],
  key: string,
  context: WriteContext,
): Promise<Written> {
  const answer = await send(session, list, key, context)
  if (answer.ok) return { written: list, failures: [], status: answer.body.Status }
  const { fault } = answer
  const named = new Map(fault.parameters.map((parameter) => [parameter.name, parameter]))
  const failures = list.flatMap(({ path }): PathOutcome[] => {
    const own = named.get(path)
    return own === undefined ? [] : [{ path, error: faultError({ ...own, parameters: [] }) }]
  })
  return { written: [], failures, fault, status: 0 }
}

/**
 * Writes the values that the CPE accepts: without those that its fault names, or, when it names none (many do not), by
 * halves down to the single value.
 */
async function writePartly(
  session: Session,
  list: ValueToWrite[],
  key: string,
  context: WriteContext,
): Promise<Written> {
  const whole = await writeAll(session, list, key, context)
  const { fault, failures } = whole
  if (fault === undefined) return whole
  const [only] = list
  if (failures.length === 0 && list.length === 1 && only !== undefined)
    return { ...whole, failures: [{ path: only.path, error: faultError(fault) }] }
  const named = new Set(failures.map(({ path }) => path))
  const rest = list.filter(({ path }) => !named.has(path))
  const parts = failures.length > 0 ? [rest] : [rest.slice(0, rest.length >> 1), rest.slice(rest.length >> 1)]
  for (const part of parts.filter(({ length }) => length > 0)) {
    const more = await writePartly(session, part, key, context)
    whole.written.push(...more.written)
    whole.failures.push(...more.failures)
    whole.status = Math.max(whole.status, more.status)
  }
  return whole
}

/** Writes the required values first, then the others, as far as the CPE accepts them. */
export async function write(
  session: Session,
  list: (ValueToWrite & { required?: boolean })[],
  allowPartial: boolean,
  key: string,
  context: WriteContext,
): Promise<Written> {
  const optional = allowPartial ? list : list.filter(({ required }) => required === false)
  const firm = allowPartial ? [] : list.filter(({ required }) => required !== false)
  const first: Written =
    firm.length === 0 ? { written: [], failures: [], status: 0 } : await writeAll(session, firm, key, context)
  if (first.fault !== undefined || optional.length === 0) return first
  const rest = await writePartly(session, optional, key, context)
  const free = new Set(list.flatMap(({ path, required }) => (required === false ? [path] : [])))
  const failures = rest.failures.map((failure) =>
    free.has(failure.path) ? { ...failure, optional: true as const } : failure,
  )
  const must = failures.some((failure) => failure.optional !== true)
  return {
    written: [...first.written, ...rest.written],
    failures,
    status: Math.max(first.status, rest.status),
    ...(must && rest.fault !== undefined ? { fault: rest.fault } : {}),
  }
}

/**
 * Sends one SetParameterValues. A CPE that refuses nothing but booleans written 1/0 is sent them once more as words,
 * which is safe because it has written nothing; the form is remembered.
 */
async function send(
  session: Session,
  list: ValueToWrite[],
  key: string,
  { types, notes }: WriteContext,
): Promise<Answer<'SetParameterValues'>> {
  const once = (literal: boolean) =>
    session.call('SetParameterValues', {
      ParameterList: list.map(({ path, value, type }) => types.toWire(path, value, type, literal)),
      ParameterKey: key.length <= 32 ? key : '',
    })
  const answer = await once(notes.literalBooleans)
  if (answer.ok || notes.literalBooleans || !isAboutBooleans(answer.fault, list, types)) return answer
  const again = await once(true)
  if (again.ok) notes.literalBooleans = true
  return again
}

function isAboutBooleans({ parameters }: CwmpFault, list: ValueToWrite[], types: ParameterTypes): boolean {
  const booleans = new Set(
    list.filter(({ path, value, type }) => types.toWire(path, value, type).type === 'boolean').map(({ path }) => path),
  )
  return (
    parameters.length > 0 &&
    parameters.every(({ name, code }) => booleans.has(name) && (code === 9006 || code === 9007))
  )
}
