import { errorText } from '../../base/index.ts'
import { RouterOsError } from '../../routeros/index.ts'
import { AgentError } from '../../usp/index.ts'
import { ValueRefused } from '../menus/checked-command.ts'

/** The USP error of a request that a router refused for a reason that has no code of its own (TR-369 Appendix). */
const OTHERWISE = { set: 7020, add: 7017, delete: 7024, operate: 7022 } as const

export type Doing = keyof typeof OTHERWISE

/** Texts of traps with the USP error that they mean; RouterOS gives a category to few of them. */
const TEXTS: readonly (readonly [RegExp, number])[] = [
  [/not enough permissions|not allowed by device-mode/i, 7006],
  [/no such item/i, 7016],
  [/no such command/i, 7026],
  [/unknown parameter/i, 7010],
  [/already (have|exists)|already exists/i, 7025],
  [/interrupted|update canceled/i, 7023],
  [/can ?not (change|remove|set).*(dynamic|builtin|default)|read.?only/i, 7013],
  [
    /invalid value|input does not match|out of range|ambiguous value|value of \S+ (should|must)|contents too long/i,
    7012,
  ],
]
const CATEGORIES: Readonly<Record<number, number>> = { 0: 7016, 1: 7012, 2: 7023 }

/** Returns the error of USP for anything that ended a request at a router. */
export function failureOf(error: unknown, doing: Doing): AgentError {
  if (error instanceof AgentError) return error
  if (error instanceof ValueRefused) return new AgentError(doing === 'operate' ? 7027 : 7012, error.message)
  if (!(error instanceof RouterOsError)) return new AgentError(7003, errorText(error))
  if (error.kind === 'refused')
    return error.context.level === undefined
      ? new AgentError(7003, `the bridge does not send this: ${error.message}`)
      : new AgentError(7006, error.message)
  if (error.kind === 'cancelled') return new AgentError(7023, 'the command was cancelled')
  if (error.kind !== 'trap') return new AgentError(7003, `the router did not answer: ${error.message}`)
  const text = error.all.join('; ') || error.message
  const code = TEXTS.find(([form]) => form.test(text))?.[1] ?? CATEGORIES[error.category ?? -1] ?? OTHERWISE[doing]
  const said = code === 7012 && doing === 'operate' ? 7027 : code
  return new AgentError(said, `the router refused it: ${text}`.slice(0, 256))
}

/** Returns true when a router may have done what was asked though no answer came. */
export function isOpen(error: unknown): boolean {
  return error instanceof RouterOsError && error.sent && !['trap', 'refused', 'busy', 'login'].includes(error.kind)
}
