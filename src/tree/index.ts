/** Floor 2: the instantiated data model of one simulated device, and the view that each protocol has of it. */
export { InstanceTree, type TreeChange, type TreeSnapshot } from './instance-tree.ts'
export { TreeView, type WriteError } from './tree-view.ts'
