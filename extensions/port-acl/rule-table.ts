import type { AclRule } from './rule.ts';

/** What happened on one port since the extension has known it. */
export interface AclCounters {
  /** Requests that came: adds + updates + deletes = accepted + vetoed + rolledBack once none is in flight. */
  adds: number;
  updates: number;
  deletes: number;
  /** Took effect. */
  accepted: number;
  /** Refused here. */
  vetoed: number;
  /** Accepted here, refused by a module below (rule E37). */
  rolledBack: number;
  /** Rules learnt by enumeration (rules J11, J12). */
  caughtUp: number;
}

/** The rules of one port. Changes answer with what takes them back. */
export class RuleTable {
  readonly counters: AclCounters = {
    adds: 0,
    updates: 0,
    deletes: 0,
    accepted: 0,
    vetoed: 0,
    rolledBack: 0,
    caughtUp: 0,
  };
  /** By PropertyInstanceId. */
  readonly #rules = new Map<string, AclRule>();
  /** By match and weight: how many rules there are, all of one action. */
  readonly #matches = new Map<string, { readonly action: AclRule['action']; count: number }>();

  get size(): number {
    return this.#rules.size;
  }

  count(action: AclRule['action']): number {
    let count = 0;
    for (const rule of this.#rules.values()) if (rule.action === action) count += 1;
    return count;
  }

  has(instanceId: string): boolean {
    return this.#rules.has(instanceId);
  }

  /** True when another rule than `instanceId`'s own has the same match and weight and the opposite action. */
  contradicts(rule: AclRule, instanceId: string): boolean {
    const match = this.#matches.get(rule.key);
    if (match === undefined || match.action === rule.action) return false;
    const isOwn = this.#rules.get(instanceId)?.key === rule.key;
    return match.count > (isOwn ? 1 : 0);
  }

  /** Adds the rule or puts it in the place of the instance's old one; the result takes that back. */
  set(instanceId: string, rule: AclRule): () => void {
    const before = this.#rules.get(instanceId);
    if (before !== undefined) this.#release(before);
    this.#rules.set(instanceId, rule);
    this.#hold(rule);
    return () => {
      if (before === undefined) this.delete(instanceId);
      else this.set(instanceId, before);
    };
  }

  /** Removes the instance's rule; the result puts it back. */
  delete(instanceId: string): () => void {
    const rule = this.#rules.get(instanceId);
    if (rule === undefined) return () => {};
    this.#rules.delete(instanceId);
    this.#release(rule);
    return () => {
      this.set(instanceId, rule);
    };
  }

  /** Forgets the rules, keeps the counters. */
  clear(): void {
    this.#rules.clear();
    this.#matches.clear();
  }

  #hold(rule: AclRule): void {
    const match = this.#matches.get(rule.key);
    if (match === undefined) this.#matches.set(rule.key, { action: rule.action, count: 1 });
    else match.count += 1;
  }

  #release(rule: AclRule): void {
    const match = this.#matches.get(rule.key);
    if (match === undefined) return;
    match.count -= 1;
    if (match.count === 0) this.#matches.delete(rule.key);
  }
}
