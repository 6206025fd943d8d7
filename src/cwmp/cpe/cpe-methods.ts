import type { CwmpFault, CwmpMessage, RequestOf } from '../wire/index.ts'
import type { DueEvent } from './events.ts'

/** A request of the ACS, with the arguments of its method. */
export type AcsRequest = Extract<CwmpMessage, { kind: 'request' }>

/** The answer to one request. */
export interface CpeAnswer {
  response: Extract<CwmpMessage, { kind: 'response' }>
  /** The CPE calls it when the session is over: a reboot that begins here does not cut off the answer. */
  afterSession?: () => void
}

/** The content of an Inform that is not in the model. */
export interface InformFacts {
  events: readonly DueEvent[]
  /** Parameters under notification that changed. */
  changed: readonly string[]
  retryCount: number
  /** Milliseconds since the Unix epoch. */
  now: number
}

/**
 * The methods of a CPE (TR-069 Annex A): its answers to the ACS, and its Inform. Implementations are plain objects whose
 * functions do not use `this`: a decorator copies one and replaces some of them.
 */
export interface CpeMethods {
  /**
   * Resolves with the answer to one request. Rejects with CpeFault for a fault that is sent in its place, and with
   * NoAnswer when the session ends instead.
   */
  answer(request: AcsRequest): Promise<CpeAnswer>
  /** Returns the arguments of an Inform (TR-069 A.3.3.1). */
  inform(facts: InformFacts): RequestOf<'Inform'>
}

/** A refused request, with the fault that is sent. */
export class CpeFault extends Error {
  readonly fault: CwmpFault
  constructor(code: number, text: string, parameters: CwmpFault['parameters'] = []) {
    super(text)
    this.fault = { code, text, parameters }
  }
}

/** The CPE cannot answer a request at all, not even with a fault: its session ends and the connection is cut. */
export class NoAnswer extends Error {}
