/** The root of a data model: TR-181 or TR-098. */
export type RootObject = 'Device.' | 'InternetGatewayDevice.'

/** A parameter or an object that the device has. */
interface ModelNode {
  /** The XSD type of a parameter (TR-069 A.2.1); '' for an object. */
  type: string
  /** True for a parameter that can be set, and for a table whose rows can be added and deleted. */
  writable: boolean
}

/** The reason of a refused write, as a CWMP fault code (TR-069 A.5.1). */
export interface ModelProblem {
  code: number
  text: string
}

/** A value to write. */
interface ModelWrite {
  path: string
  value: string
}

/** A value that has changed. `by` is `acs` for a change that the ACS has made. */
export interface ValueChange {
  path: string
  value: string
  by: string
}

/**
 * The data model of a device as its CPE reaches it. Paths are full and have the names of CWMP; those of objects end in
 * a dot. The CPE checks requests by the rules of TR-069 before it asks; an implementation refuses what its device
 * refuses. Implementations are plain objects whose functions do not use `this`: a decorator copies one and replaces
 * some of them.
 */
export interface CpeModel {
  readonly root: RootObject
  /** Returns the object or parameter at a path; undefined when the device does not have it. */
  find(path: string): ModelNode | undefined
  /** Returns the objects below a path, tables with and without rows among them, in no order. */
  objects(below: string): readonly string[]
  /** Returns the parameters whose paths begin with this one, in order; '' for all. */
  parameters(below: string): readonly string[]
  /** Returns a value as the ACS reads it: secrets are ''. Undefined when there is none. */
  get(path: string): string | undefined
  /** Returns the reason why the ACS cannot set this value: 9005, 9006, 9007, 9008, or the one of the device. */
  check(path: string, value: string): ModelProblem | undefined
  /** Writes values of the ACS, all of which `check` has let pass. */
  set(values: readonly ModelWrite[]): void
  /** Adds a row to a table for the ACS. An instance number is never given twice. */
  add(table: string): { row: string } | ModelProblem
  /** Deletes a row, with everything below it, for the ACS. Returns the reason why it cannot. */
  remove(row: string): ModelProblem | undefined
  /** Returns a value as the device has it, secrets included. */
  own(path: string): string | undefined
  /** Writes a value of the CPE itself. `by` is `acs` when the ACS need not hear of it. */
  put(path: string, value: string, by: 'acs' | 'device'): void
  /** Calls back after each change of a value. Returns the function that ends this. */
  changes(listener: (change: ValueChange) => void): () => void
}
