/** One `!trap` of an answer. */
interface TrapText {
  message: string
  /** Of the RouterOS manual: 0 missing item or command, 1 value, 2 interrupted, 4 general; often absent. */
  category?: number
}

/** A command that the router refuses; its answer has these traps in order. */
export class Trap extends Error {
  readonly texts: readonly TrapText[]

  constructor(message: string, category?: number, ...more: TrapText[]) {
    super(message)
    this.texts = [category === undefined ? { message } : { message, category }, ...more]
  }
}

export const noSuchItem = () => new Trap('no such item', 0)
export const unknownParameter = (name: string) => new Trap(`unknown parameter ${name}`)
export const noMatch = (name: string) => new Trap(`input does not match any value of ${name}`, 1)
export const invalidValue = (name: string) => new Trap(`invalid value for argument ${name}`, 1)
export const outOfRange = (name: string, min: number | string, max: number | string) =>
  new Trap(`value of ${name} is out of range (${min} .. ${max})`, 1)
export const missing = (name: string) => new Trap(`missing value(s) of argument(s) ${name}`, 1)
export const notPermitted = () => new Trap('not enough permissions (9)')
export const noSuchCommand = () => new Trap('no such command', 0)
/** The menu or its package is not there. */
export const noSuchDirectory = (word: string) =>
  new Trap(`no such command or directory (${word})`, 0, { message: 'no such command prefix' })
