import type { Transform } from '../transform.ts'
import { quoted, refusal, type Theme, toSource } from './basics.ts'

const WORDS = new Map([
  ['None', 'None'],
  ['Requested', 'Requested'],
  ['Complete', 'Complete'],
  ['Completed', 'Complete'],
])
/** Tests whose state has no plain Error in TR-181. */
const NO_PLAIN_ERROR = ['DownloadDiagnostics.', 'UploadDiagnostics.', 'NSLookupDiagnostics.', 'SelfTestDiagnostics.']
const TRANSFER_ERRORS = [
  'CannotResolveHostName',
  'NoRouteToHost',
  'InitConnectionFailed',
  'NoResponse',
  'PasswordRequestFailed',
  'LoginFailed',
  'NoTransferMode',
  'NoPASV',
  'Timeout',
]
/** Errors of each test in TR-181, besides Internal and Other. */
const ERRORS: readonly (readonly [string, readonly string[]])[] = [
  ['IPPing.', ['CannotResolveHostName', 'NoRouteToHost']],
  ['TraceRoute.', ['CannotResolveHostName', 'NoRouteToHost', 'MaxHopCountExceeded']],
  ['DownloadDiagnostics.', [...TRANSFER_ERRORS, 'TransferFailed', 'IncorrectSize']],
  ['UploadDiagnostics.', [...TRANSFER_ERRORS, 'NoCWD', 'NoSTOR', 'NoTransferComplete']],
  ['NSLookupDiagnostics.', ['DNSServerNotResolved']],
]

/** The state of a test; a write starts it and can do nothing else. */
const diagState: Transform = {
  read(raw, context) {
    const text = raw.trim()
    const word = WORDS.get(text)
    if (word !== undefined) return word
    const test = context.to.slice(0, context.to.lastIndexOf('.') + 1)
    if (text === 'Error') return NO_PLAIN_ERROR.some((name) => test.endsWith(name)) ? 'Error_Other' : 'Error'
    if (!text.startsWith('Error_')) return undefined
    const known = ERRORS.find(([name]) => test.endsWith(`.${name}`))?.[1] ?? []
    return ['Internal', 'Other', ...known].includes(text.slice('Error_'.length)) ? text : 'Error_Other'
  },
  write(value, context) {
    if (value !== 'Requested')
      throw refusal(context, `${quoted(value)} has no form on the device; a write of Requested starts the test`)
    return toSource(context, 'Requested')
  },
}

/** States of tests. */
export const DIAGNOSTICS: Theme = { diagState }
