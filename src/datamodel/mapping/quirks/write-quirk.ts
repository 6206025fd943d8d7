import type { BaseType } from '../../types.ts'

/**
 * A parameter or object of the device's own tree: a schema path (`InternetGatewayDevice.User.{i}.Password`), `*.` and the
 * end of one (`*.WLANConfiguration.{i}.SSID`), or `*` for every parameter. Objects end in a dot; for a parameter, the
 * pattern of an object is that of every parameter in it and below it.
 */
export type PathPattern = string

/** A value that a device needs beside another one; `param` is relative to the object of that one, e.g. `Name`. */
export type BesideValue = { param: string } & (
  | { value: string }
  /** The value that the device shows for `param` now; where it shows an empty one the request has to name it. */
  | { shown: true }
  /** The value of the parameter that is written. */
  | { same: true }
  /** For a new object: the lowest number of the range that no object beside it shows for `param`. */
  | { free: readonly [number, number] }
  /** For a new object: the path of the last row of a table, e.g. `Device.IP.Interface.`, without a dot at its end. */
  | { lastOf: string }
)

/** Limits of a quirk within its family. */
interface QuirkScope {
  /** ModelName or ProductClass of the devices that have it, in any case of letters; absent: the whole family. */
  models?: readonly string[]
  /** The reason to believe it: lineages, documents or devices it was seen on. */
  evidence: string
}

/** Rules for a write of the parameters that `on` matches. Only what the device's own tree holds is ever written. */
export interface ParameterQuirk extends QuirkScope {
  on: PathPattern
  /** The values of the device's own tree whose write it is about; absent: every value. */
  values?: readonly string[]
  /** The type that the device needs, whatever type it reports. */
  type?: BaseType
  /** The device's own texts for values; a value without an entry stays as it is. */
  spelling?: Readonly<Record<string, string>>
  /** Its texts for true and false, for parameters of type boolean. */
  booleans?: readonly [whenTrue: string, whenFalse: string]
  /** Values that stand before it in the same SetParameterValues. */
  before?: readonly BesideValue[]
  /** Values that stand behind it in the same SetParameterValues. */
  after?: readonly BesideValue[]
  /** True: it has a SetParameterValues of its own. */
  alone?: true
  /** True: it is never sent, also not with its default value. A write of another value than it shows is refused. */
  omit?: true
  /** True: a write has its effect after the next boot, also where the response says Status 0. */
  reboot?: true
  /** The fault with which the device answers a write; the write is refused before it is sent. */
  refuses?: { fault: 9001 | 9002 | 9003 | 9005 | 9008; why: string; instead?: string }
}

/** Rules for an object that is added to the table that `on` matches. */
export interface ObjectQuirk extends QuirkScope {
  on: PathPattern
  /** Values that a new object needs before it carries traffic, in this order, beside those that are asked for. */
  values?: readonly BesideValue[]
  /** Parameters whose values are written first, in this order. */
  order?: readonly string[]
  /** True: one SetParameterValues for each value. */
  oneByOne?: true
  /** Pause between AddObject and the first write, in milliseconds. */
  pauseMs?: number
  /** Tables below it that must hold an object, else the new one is deleted again. */
  needs?: readonly string[]
}

/** The rules of a vendor family for writes, beyond those of the standard. */
export interface WriteQuirks {
  parameters: readonly ParameterQuirk[]
  objects: readonly ObjectQuirk[]
}
