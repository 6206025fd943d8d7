/** Operators by which several objects of the device give one value of the TR-181 tree. */
export const AGGREGATIONS = ['first', 'any', 'max', 'sum', 'union', 'best'] as const

/** `first`: the lowest enabled instance, else the lowest. `best`: Up before Error before Down. */
export type Aggregation = (typeof AGGREGATIONS)[number]

/** A test of one parameter of the device's own tree, of the same instance as the source. Booleans in either spelling. */
export interface Condition {
  /** Schema path, e.g. `InternetGatewayDevice.WANDevice.{i}.WANCommonInterfaceConfig.WANAccessType`. */
  param: string
  /** Fails where the parameter is absent. */
  in?: readonly string[]
  /** Holds where the parameter is absent. */
  notIn?: readonly string[]
}

/** One parameter of a device's own tree, and its place in TR-181. */
export interface MappingRow {
  /** Schema path of the source, `{i}` for each instance; in TR-098 or in a vendor's object. */
  from: string
  /** Schema path of the target in TR-181. */
  to: string
  /** Name of the transform of the value; absent: the text is the same on both sides. */
  transform?: string
  /** True: a write of the target is a write of the source, where the device itself allows it. */
  writable?: true
  /** True: filled on a read, never chosen as the place of a write. */
  copy?: true
  /** The row applies only while this holds. */
  when?: Condition
  /** The same, for writes alone. */
  writeWhen?: Condition
  /** Of the rows with the same target the lowest rank whose source exists and decodes wins. Absent: 1; 0 goes before the standard. */
  rank?: number
  agg?: Aggregation
  /** Number of the target's own row where several parameters of one object give rows of one table. Absent: 1. */
  slot?: number
  /** True: a write of the target writes this source too, in the same SetParameterValues, where it exists. */
  writeAlso?: true
  /**
   * Only devices of this vendor family have the row: it is about a parameter of a standard, which the family uses in its
   * own way. Absent: every device, as far as it has the source.
   */
  family?: string
  /** ModelName or ProductClass of the devices that have the row, in any case of letters; absent: every model. */
  models?: readonly string[]
  /** The reason to believe the row: lineages, documents or devices it was seen on. */
  evidence?: string
}
