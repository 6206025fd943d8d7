import { parse } from '@rsql/parser'

/** The syntax tree of an RSQL text as its parser gives it. The one door to the parser. */
export type RsqlNode =
  | { type: 'LOGIC'; operator: string; left: RsqlNode; right: RsqlNode }
  | { type: 'COMPARISON'; operator: string; left: { selector: string }; right: { value: string | string[] } }

/** Parses RSQL; throws the parser's SyntaxError, whose message names the position. */
export function parseRsql(text: string): RsqlNode {
  return parse(text) as RsqlNode
}
