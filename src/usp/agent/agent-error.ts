/** A request, or a part of one, that the Agent refuses; `code` is the USP error code (7000 to 7999). */
export class AgentError extends Error {
  readonly code: number
  /** FaultCode of TransferComplete! when a file transfer failed. */
  readonly transferFault: number | undefined

  constructor(code: number, text: string, transferFault?: number) {
    super(text)
    this.code = code
    this.transferFault = transferFault
  }
}

/** Returns an error as one of a part of a request: 7003 (internal error) when the model failed. */
export function asAgentError(error: unknown): AgentError {
  return error instanceof AgentError ? error : new AgentError(7003, error instanceof Error ? error.message : 'failed')
}

/** Returns code and text of any error; `otherwise` is the code of an error that has none. */
export function failure(error: unknown, otherwise: number): { err_code: number; err_msg: string } {
  const err_msg = error instanceof Error ? error.message : 'failed'
  return { err_code: error instanceof AgentError ? error.code : otherwise, err_msg }
}
