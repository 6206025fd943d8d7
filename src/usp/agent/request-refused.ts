import type { ParamError } from '../wire/index.ts'

/** A request that is answered with an Error Message: nothing of it was done. */
export class RequestRefused extends Error {
  /** USP error code. */
  readonly code: number
  readonly errors: ParamError[]

  constructor(code: number, text: string, errors: ParamError[] = []) {
    super(text)
    this.code = code
    this.errors = errors
  }
}
