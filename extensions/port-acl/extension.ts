import {
  defineExtension,
  type ExtensionHandlers,
  isErrorStatus,
  NdisStatus,
  type OidRequest,
  type PortFeatureStatusQuery,
  type PortProperty,
  type Settings,
  type SwitchContext,
  type Verdict,
} from '../../src/sdk/index.ts';
import { type AclRule, parseRule } from './rule.ts';
import { RuleTable } from './rule-table.ts';

/** UUIDs and version of the classes in policy.mof. */
const RULE_CLASS = '2d6e9b54-7c1f-4e0b-8a35-90c4d1f7b102';
const STATUS_CLASS = '2d6e9b54-7c1f-4e0b-8a35-90c4d1f7b103';
const CLASS_VERSION = 0x0100;
/** Size of RULE_CLASS, bytes. */
const RULE_BYTES = 220;
/** NDIS_SWITCH_OBJECT_SERIALIZATION_VERSION_1 (rule E10). */
const SERIALIZATION_VERSION = 1;

/** A change this extension accepted and forwarded: what it means is known when it comes back up (rule E37). */
interface Forwarded {
  readonly table: RuleTable;
  readonly undo: () => void;
}

/** The rules of one switch's ports. */
class PortAcl implements ExtensionHandlers {
  readonly #sw: SwitchContext;
  /** By port id. A port without rules and without history has no table. */
  readonly #tables = new Map<number, RuleTable>();
  /** By number of the request. */
  readonly #forwarded = new Map<number, Forwarded>();

  constructor(sw: SwitchContext) {
    this.#sw = sw;
  }

  // --- policy changes ------------------------------------------------------------------------------------------------

  addPortProperty(property: PortProperty): Verdict {
    if (!isOwn(property)) return 'forward';
    const table = this.#table(property.portId);
    table.counters.adds += 1;
    return this.#accept(property, table);
  }

  updatePortProperty(property: PortProperty): Verdict {
    if (!isOwn(property)) return 'forward';
    const table = this.#table(property.portId);
    table.counters.updates += 1;
    if (!table.has(property.propertyInstanceId)) return this.#unknown(property, table);
    return this.#accept(property, table);
  }

  deletePortProperty(property: PortProperty): Verdict {
    if (!isOwn(property)) return 'forward';
    const table = this.#table(property.portId);
    table.counters.deletes += 1;
    if (!table.has(property.propertyInstanceId)) return this.#unknown(property, table);
    return this.#forward(property, table, table.delete(property.propertyInstanceId));
  }

  /** Takes the rule in and forwards (rule E28), or vetoes what is malformed or contradictory (rules E36, B48). */
  #accept(property: PortProperty, table: RuleTable): Verdict {
    if (property.raw.length < RULE_BYTES) return this.#tooShort(property, table);
    const refusal = versionProblem(property);
    const parsed =
      refusal === undefined ? readRule(property.settings) : ({ malformed: refusal } as const);
    if ('malformed' in parsed) return this.#veto(property, table, parsed.malformed);
    if (table.contradicts(parsed.rule, property.propertyInstanceId)) {
      const what = `another rule of the port matches the same with the same weight and does not ${parsed.rule.action}`;
      return this.#veto(property, table, what);
    }
    return this.#forward(property, table, table.set(property.propertyInstanceId, parsed.rule));
  }

  #forward(property: PortProperty, table: RuleTable, undo: () => void): Verdict {
    this.#forwarded.set(property.request.id, { table, undo });
    return 'forward';
  }

  #veto(property: PortProperty, table: RuleTable, reason: string): NdisStatus {
    table.counters.vetoed += 1;
    this.#sw.log(`rule ${property.propertyInstanceId} refused: ${reason}`, {
      portId: property.portId,
    });
    return NdisStatus.DATA_NOT_ACCEPTED;
  }

  /** Rule E34. */
  #tooShort(property: PortProperty, table: RuleTable): Verdict {
    this.#veto(property, table, `it has ${property.raw.length} bytes, expected ${RULE_BYTES}`);
    property.request.bytesNeeded = RULE_BYTES;
    return NdisStatus.INVALID_LENGTH;
  }

  /** OP-5: an own id whose instance is not held. */
  #unknown(property: PortProperty, table: RuleTable): Verdict {
    table.counters.vetoed += 1;
    this.#sw.log(`rule ${property.propertyInstanceId} is not held`, { portId: property.portId });
    return NdisStatus.INVALID_PARAMETER;
  }

  /** Rule E37: what a module below refused is taken back. */
  oidRequestComplete(request: OidRequest): void {
    const forwarded = this.#forwarded.get(request.id);
    if (forwarded === undefined) return;
    this.#forwarded.delete(request.id);
    if (isErrorStatus(request.status)) {
      forwarded.undo();
      forwarded.table.counters.rolledBack += 1;
    } else {
      forwarded.table.counters.accepted += 1;
    }
  }

  /** Rule E38, OP-7: no deletes came before; the rules end with the port. */
  deletePort({ portId }: { readonly portId: number }): Verdict {
    this.#tables.delete(portId);
    return 'forward';
  }

  // --- status --------------------------------------------------------------------------------------------------------

  queryPortFeatureStatus(query: PortFeatureStatusQuery): Verdict {
    if (query.featureStatusId !== STATUS_CLASS) return 'forward';
    // A port it never saw a rule for has the status of an empty table.
    const table = this.#tables.get(query.portId) ?? new RuleTable();
    const { counters } = table;
    return query.respond({
      RulesHeld: table.size,
      AllowRules: table.count('allow'),
      DenyRules: table.count('deny'),
      Adds: BigInt(counters.adds),
      Updates: BigInt(counters.updates),
      Deletes: BigInt(counters.deletes),
      Accepted: BigInt(counters.accepted),
      Vetoed: BigInt(counters.vetoed),
      RolledBack: BigInt(counters.rolledBack),
      CaughtUp: BigInt(counters.caughtUp),
    });
  }

  // --- life cycle ----------------------------------------------------------------------------------------------------

  /** Rule J11: what happened before is not told again. What cannot be enforced refuses to run (OP-31). */
  restart(): void {
    // Rules A69, A70: on an inactive switch nothing else may be asked.
    if (!this.#sw.parameters().isActive) return;
    const problems = this.#catchUp();
    if (problems.length > 0) throw new Error(`cannot enforce what is set: ${problems.join('; ')}`);
  }

  /** Rule J12. Cannot refuse (rule A72): what cannot be enforced is logged and left out. */
  activate(): void {
    try {
      for (const problem of this.#catchUp()) this.#sw.log(`left out: ${problem}`);
    } catch (error) {
      // A question of its own was not answered, or not at once: a fault of the moment that must not come out of here.
      this.#sw.log(`could not learn what is there: ${String(error)}`);
    }
  }

  detach(): void {
    this.#tables.clear();
    this.#forwarded.clear();
  }

  /** Makes the tables what the switch holds. Answers with what is malformed or contradictory there. */
  #catchUp(): string[] {
    const problems: string[] = [];
    const live = new Set<number>();
    for (const { portId, state } of this.#sw.ports()) {
      live.add(portId);
      this.#tables.get(portId)?.clear();
      // Rules B36, E48: a port in teardown cannot be asked.
      if (state !== 'created') continue;
      for (const entry of this.#sw.portProperties(portId, RULE_CLASS)) {
        const problem = this.#learn(portId, entry.propertyInstanceId, entry.settings);
        if (problem !== undefined) problems.push(problem);
      }
    }
    for (const portId of this.#tables.keys()) if (!live.has(portId)) this.#tables.delete(portId);
    return problems;
  }

  /** Rule E51: of a newer class version the known members are read. */
  #learn(portId: number, instanceId: string, settings: Settings | undefined): string | undefined {
    const parsed = readRule(settings);
    const where = `rule ${instanceId} of port ${portId}`;
    if ('malformed' in parsed) return `${where}: ${parsed.malformed}`;
    const table = this.#table(portId);
    if (table.contradicts(parsed.rule, instanceId)) {
      return `${where} contradicts another with the same match and weight`;
    }
    table.set(instanceId, parsed.rule);
    table.counters.caughtUp += 1;
    return undefined;
  }

  /** Also for ports it never saw: it may have been enabled after their creation. */
  #table(portId: number): RuleTable {
    let table = this.#tables.get(portId);
    if (table === undefined) {
      table = new RuleTable();
      this.#tables.set(portId, table);
    }
    return table;
  }
}

/** Rules E23, E24: by type, and by PropertyId only when the type is custom. */
function isOwn(property: PortProperty): boolean {
  return property.propertyType === 'custom' && property.propertyId === RULE_CLASS;
}

/** Rule E51: newer versions of the class are fine, their additional members are not looked at. */
function versionProblem(property: PortProperty): string | undefined {
  if (property.serializationVersion !== SERIALIZATION_VERSION) {
    return `serialization version ${property.serializationVersion}, expected ${SERIALIZATION_VERSION}`;
  }
  if (property.propertyVersion >= CLASS_VERSION) return undefined;
  return `class version ${property.propertyVersion}, expected ${CLASS_VERSION} or newer`;
}

function readRule(
  settings: Settings | undefined,
): { readonly rule: AclRule } | { readonly malformed: string } {
  return settings === undefined
    ? { malformed: 'its bytes do not fit the class' }
    : parseRule(settings);
}

/**
 * Port ACL: a filter extension with a custom port policy, one allow or deny rule per property instance. It checks, keeps and
 * reports rules. See README.md for the behaviour rule by rule.
 */
export default defineExtension({
  id: '2d6e9b54-7c1f-4e0b-8a35-90c4d1f7b101',
  name: 'Port ACL',
  vendor: 'extswitch',
  version: '1.0',
  type: 'filter',
  mof: ['./policy.mof'],
  attach: (sw) => new PortAcl(sw),
});
