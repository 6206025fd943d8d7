/** One command of a line of the console. */
export interface ConsoleCommand {
  /** With slashes, such as `/ip/address/print`. */
  path: string
  args: Map<string, string>
}

/** A statement: a text or the value of a command is written, or a command runs by itself. */
export type Statement = { put: string } | { put: ConsoleCommand } | { run: ConsoleCommand }

/** A line that is no statement of the console, with the text that it writes. */
export class SyntaxRefusal extends Error {}

/** Words without a value that commands take. */
const FLAGS = new Set(['as-value', 'once', 'detail', 'terse', 'stats', 'without-paging', 'count-only', 'brief'])

interface Token {
  text: string
  /** True when all of it stood between quotation marks. */
  isQuoted: boolean
  column: number
}

/** Returns the statements of a line, in order. Throws SyntaxRefusal before anything runs. */
export function statementsOf(line: string): Statement[] {
  return splitAt(line, ';').flatMap(({ text, column }) => (text.trim() === '' ? [] : [statementOf(text, column)]))
}

function statementOf(text: string, column: number): Statement {
  const trimmed = text.trim()
  if (!trimmed.startsWith(':')) return { run: commandOf(trimmed, column) }
  const [, name = '', rest = ''] = /^:([a-z]+)\s*([\s\S]*)$/.exec(trimmed) ?? []
  if (name !== 'put') throw new SyntaxRefusal(`bad command name ${name} (line 1 column ${column + 1})`)
  const inner = /^\[([\s\S]*)\]$/.exec(rest.trim())?.[1]
  if (inner !== undefined) return { put: commandOf(inner.trim(), column + 5) }
  return { put: tokensOf(rest, column)[0]?.text ?? '' }
}

function commandOf(text: string, column: number): ConsoleCommand {
  const args = new Map<string, string>()
  const words: string[] = []
  for (const token of tokensOf(text, column)) {
    const [, name, value] = token.isQuoted ? [] : (/^([a-z0-9.!-]+)=([\s\S]*)$/i.exec(token.text) ?? [])
    if (name !== undefined) args.set(name, value ?? '')
    else if (FLAGS.has(token.text)) args.set(token.text, '')
    else if (args.size === 0 && /^[/a-z0-9-]+$/.test(token.text)) words.push(...token.text.split('/'))
    else throw new SyntaxRefusal(`expected end of command (line 1 column ${token.column})`)
  }
  const path = words.filter((word) => word !== '')
  if (!text.startsWith('/') || path.length === 0)
    throw new SyntaxRefusal(`bad command name ${words[0] ?? text.slice(0, 20)} (line 1 column ${column})`)
  return { path: `/${path.join('/')}`, args }
}

/** Cuts a text at a sign that stands neither between quotation marks nor in brackets. */
function splitAt(text: string, sign: string): { text: string; column: number }[] {
  const parts: { text: string; column: number }[] = []
  let from = 0
  let depth = 0
  let isQuoted = false
  for (let i = 0; i < text.length; i++) {
    const char = text[i]
    if (isQuoted && char === '\\') i++
    else if (char === '"') isQuoted = !isQuoted
    else if (!isQuoted && char === '[') depth++
    else if (!isQuoted && char === ']') depth--
    else if (!isQuoted && depth === 0 && char === sign) {
      parts.push({ text: text.slice(from, i), column: from + 1 })
      from = i + 1
    }
  }
  if (isQuoted || depth !== 0) throw new SyntaxRefusal(`syntax error (line 1 column ${text.length + 1})`)
  return [...parts, { text: text.slice(from), column: from + 1 }]
}

/** Words between spaces; quotation marks are taken off, `\` takes the meaning of the character behind it away. */
function tokensOf(text: string, column: number): Token[] {
  const tokens: Token[] = []
  let word = ''
  let begin = -1
  let quotes = 0
  let isQuoted = false
  const end = () => {
    if (begin >= 0) tokens.push({ text: word, isQuoted: quotes === 2 && text[begin] === '"', column: column + begin })
    word = ''
    begin = -1
    quotes = 0
  }
  for (let i = 0; i < text.length; i++) {
    const char = text[i] ?? ''
    if (!isQuoted && /\s/.test(char)) {
      end()
      continue
    }
    if (begin < 0) begin = i
    if (char === '"') {
      isQuoted = !isQuoted
      quotes++
    } else if (char === '\\') word += text[++i] ?? ''
    else word += char
  }
  end()
  return tokens
}
