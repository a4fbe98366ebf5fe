/** Why the simulation does not notice a break in a part that it runs. */
export const UNSEEN: Readonly<Record<string, string>> = {
  'free-module-order': 'requests do not wait at several modules at once in any history',
  'enforced-status-lost': 'on a host that enforces no law compares a status with what was vetoed',
  'leaver-may-pend': 'no request reaches a module while it is detached',
  'below-not-desynchronized': 'no model of who has missed a policy yet',
  'required-gone-stack-stays':
    'needs a required extension that refuses to run when another change restarts its stack',
  'references-of-a-leaver': 'rarely does one leave that still holds a reference',
  'owner-overlaps': 'no law yet about operations of one port',
  'leaver-waits-for-nobody': 'who leaves has no question outstanding in any history',
  'port-id-reserved-twice': 'ids are given out in order; no history asks for one by number',
  'port-id-zero': 'no history makes 65,535 ports',
  'adapters-one-by-one': 'both orders fit the state tables of one NIC',
  'reference-of-the-dead': 'nobody holds a reference on a NIC for more than 12 s',
  'false-leak': 'a delete rarely waits for a reference in these seeds',
  'stop-waits-for-references': 'it only takes longer; virtual time is not limited',
  'retry-once-too-often': 'a policy is rarely refused for want of resources in these seeds',
  'lost-answer-not-asked': 'the records come back with the next question of the destination',
  'failed-take-stays-prepared': 'the source lets it go all the same when it hears of the failure',
  'ruling-not-durable':
    'rulings are drawn; none of these seeds takes a VM back whose data is handed over',
  'written-since-forgotten': 'needs a write of the same key while a failed one is undone',
  'newer-value-overwritten': 'needs a write of the same key while a failed one is undone',
  'standing-write-forgotten':
    'needs a failed write of several keys, one of them replaced meanwhile',
  'held-undos-out-of-order': 'needs two failed writes under one removal that fails as well',
  'undo-does-not-wait': 'needs a failed write under a removal that fails as well',
  'trace-grows-in-disorder': 'answers of methods are rare in these histories',
  'restored-somewhere-else':
    'numbers that are given out after a restore are not held against a model',
  'repair-forgotten': 'needs a restart that refuses a policy, and an update of it later',
  'unknown-property-deleted': 'needs a restart that refuses a policy, and its removal later',
  'revision-checked-too-early':
    'needs two changes of one policy at once, the later one by its revision',
  'status-written-short':
    'values are read where the structures say they are, whatever BytesWritten says',
  'request-room-not-cleared': 'every buffer there is new and zero',
  'save-gap-not-cleared': 'every buffer there is new and zero',
  'enum-padding-not-cleared': 'every buffer there is new and zero',
  'offloads-oldest-first': 'no law yet about the order of offload resources',
  'function-kept-without-vport': 'no model of virtual functions yet',
  'uplink-keeps-functions': 'no model of virtual functions yet',
  'clock-past-a-timer': 'the clock of the simulation follows no wall',
  'warp-skips-followers': 'time is moved by the simulation itself',
  'trace-overwrites-the-oldest': 'no history fills its trace',
  'address-forgotten-twice': 'needs one address in two settings, and many new ones after',
  'addresses-of-before': 'needs an address drawn after a restore that one before it had',
  'fork-draws-other-numbers':
    'what a fork goes on with is not held against what its original would have done',
  'collecting-skips': 'needs two failed writes that end in one turn',
  'atomic-not-alone':
    'needs an atomic change beside others of the same things, which few steps make',
  'attempts-of-all-records': 'no extension asks for more room eight times in one save',
  'restoring-for-ever': 'flags of a port are not held against a model',
  'unconnected-data-forgotten':
    'needs a saved VM of which an adapter is disconnected before it is restored',
  'unconnected-data-left': 'needs a VM that moves with data of an adapter that is not connected',
  'data-not-given-back': 'what an extension keeps of a NIC is not held against what it was given',
  'prepared-again': 'needs a prepare that comes twice',
  'addresses-stay-kept': 'needs an address that is drawn where a VM that has it did not arrive',
  'superseded-not-understood': 'needs a source on a disk of before a ruling',
  'padding-of-the-version': 'who answers for a feature status there writes what it may',
  'too-long-by-four': 'who answers there gives values, not bytes',
  'values-too-long-by-four': 'what is answered there is as long as the room',
  'undone-to-the-wrong-moment': 'needs an update that waited for another one and is not stored',
  'rest-of-a-failed-change-forgotten':
    'needs a change of a VM that is stored while the undo of the one before it waits',
  'farewell-not-told':
    'a host that owes a farewell at the end is started again, and says it then (decision 0010)',
  'undone-oldest-first':
    'rarely do changes of a failed atomic one depend on their order in these seeds',
};
