import { SyntaxRefusal } from './statements.ts'

/** Rows that have these values. */
interface Find {
  values: ReadonlyMap<string, string>
}

/** A command of a script. */
export interface ScriptCommand {
  kind: 'command'
  /** With slashes, such as `/user/add`. */
  path: string
  args: ReadonlyMap<string, string>
  /** Rows that it is done on. */
  find?: Find
}

/** Statements that are done where a menu has no rows with these values, and others that are done where it has some. */
interface ScriptCondition {
  kind: 'if'
  menu: string
  find: Find
  then: ScriptStatement[]
  otherwise: ScriptStatement[]
}

export type ScriptStatement = ScriptCommand | ScriptCondition

/** Letters behind `\` in a string (RouterOS manual, Scripting: constant escape sequences). */
const ESCAPES: Readonly<Record<string, number>> = {
  '"': 0x22,
  '\\': 0x5c,
  $: 0x24,
  '?': 0x3f,
  _: 0x20,
  n: 10,
  r: 13,
  t: 9,
  a: 7,
  b: 8,
  f: 12,
  v: 11,
}

/**
 * Returns the statements of a script: commands with properties and `[find ...]`, and `:if ([:len [...]] = 0) do={} else={}`.
 * Throws SyntaxRefusal for anything else, before anything is done.
 */
export function readScript(text: string): ScriptStatement[] {
  const reader = new ScriptReader(text)
  const statements = reader.statements()
  reader.end()
  return statements
}

class ScriptReader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  /** Reads statements up to the end, or to a brace. */
  statements(): ScriptStatement[] {
    const found: ScriptStatement[] = []
    for (;;) {
      while (this.#take(/[\s;]+|#[^\n]*/y) !== undefined) {
        // Blanks, ends of statements and comments.
      }
      if (this.#at >= this.#text.length || this.#text[this.#at] === '}') return found
      found.push(this.#text.startsWith(':if', this.#at) ? this.#condition() : this.#command())
      if (this.#take(/ *(?=[\n;}]|$)/y) === undefined) throw this.#refusal('expected end of command')
    }
  }

  end(): void {
    if (this.#at < this.#text.length) throw this.#refusal('syntax error')
  }

  #condition(): ScriptStatement {
    this.#need(/:if *\( *\[ *:len *\[ */y)
    const menu = this.#path()
    const find = { values: this.#values() }
    this.#need(/ *\] *\] *= *0 *\) *do *= *\{/y)
    const then = this.#block()
    const otherwise = this.#take(/ *else *= *\{/y) === undefined ? [] : this.#block()
    const words = menu.split('/')
    if (words.pop() !== 'find') throw this.#refusal('expected find')
    return { kind: 'if', menu: words.join('/'), find, then, otherwise }
  }

  #block(): ScriptStatement[] {
    const statements = this.statements()
    this.#need(/\}/y)
    return statements
  }

  #command(): ScriptCommand {
    const path = this.#path()
    let find: Find | undefined
    if (this.#take(/ *\[ *find\b/y) !== undefined) {
      find = { values: this.#values() }
      this.#need(/ *\]/y)
    }
    return { kind: 'command', path, args: this.#values(), ...(find === undefined ? {} : { find }) }
  }

  /** Words with blanks or slashes between, the first of which begins with a slash. */
  #path(): string {
    const first = this.#need(/\/[a-z0-9-]+(?:\/[a-z0-9-]+)*/y)
    const words = [first]
    for (;;) {
      const word = this.#take(/ +([a-z][a-z0-9-]*(?:\/[a-z0-9-]+)*)(?![a-z0-9=./-])/y)
      if (word === undefined) return words.join('/')
      words.push(word.trim())
    }
  }

  /** Properties with values. */
  #values(): Map<string, string> {
    const values = new Map<string, string>()
    for (;;) {
      const name = this.#take(/ *[a-z0-9][a-z0-9.-]*=/y)
      if (name === undefined) return values
      values.set(name.trim().slice(0, -1), this.#value())
    }
  }

  #value(): string {
    if (this.#take(/"/y) === undefined) return this.#take(/[^\s"'$[\]{}();=?\\]+/y) ?? ''
    const bytes: Buffer[] = []
    for (;;) {
      const plain = this.#take(/[^"\\$\n]+/y)
      if (plain !== undefined) bytes.push(Buffer.from(plain))
      else if (this.#take(/"/y) !== undefined) return Buffer.concat(bytes).toString()
      else bytes.push(Buffer.from([this.#escaped()]))
    }
  }

  #escaped(): number {
    const [, hex, letter = ''] =
      /^\\(?:([0-9A-F]{2})|([^0-9A-F]))/.exec(this.#need(/\\(?:[0-9A-F]{2}|[^0-9A-F])/y)) ?? []
    if (hex !== undefined) return Number.parseInt(hex, 16)
    const byte = ESCAPES[letter]
    if (byte === undefined) throw this.#refusal('syntax error')
    return byte
  }

  #need(pattern: RegExp): string {
    const found = this.#take(pattern)
    if (found === undefined) throw this.#refusal('syntax error')
    return found
  }

  /** Takes what a sticky pattern matches here. */
  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0]
    if (found === undefined) return undefined
    this.#at += found.length
    return found
  }

  #refusal(text: string): SyntaxRefusal {
    const before = this.#text.slice(0, this.#at).split('\n')
    return new SyntaxRefusal(`${text} (line ${before.length} column ${(before.at(-1) ?? '').length + 1})`)
  }
}
