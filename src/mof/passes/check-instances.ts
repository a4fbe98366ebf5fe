import type { MofAssignment, MofInstance, MofProperty, MofValue } from '../ast.ts';
import { nearestName } from '../nearest-name.ts';
import type { Span } from '../source.ts';
import { convertValue, describeValue } from '../values.ts';
import type { CompileState } from './state.ts';

/** Instances name known classes, set properties these have, with values that fit; aliases exist, also when defined later. */
export function checkInstances(state: CompileState): void {
  const aliases = collectAliases(state);
  for (const instance of state.instances) checkInstance(state, instance, aliases);
}

function collectAliases(state: CompileState): ReadonlyMap<string, Span> {
  const aliases = new Map<string, Span>();
  const add = (alias: string | undefined, span: Span): void => {
    if (alias === undefined) return;
    const first = aliases.get(alias.toLowerCase());
    if (first === undefined) aliases.set(alias.toLowerCase(), span);
    else {
      const message = `the alias $${alias} is given twice`;
      state.sink.report('E-ALIAS-DUPLICATE', span, message, { related: first });
    }
  };
  const addInstance = (instance: MofInstance): void => {
    add(instance.alias, instance.span);
    for (const { value } of instance.properties) {
      for (const item of value.kind === 'array' ? value.items : [value]) {
        if (item.kind === 'instance') addInstance(item.instance);
      }
    }
  };
  for (const declaration of state.classes) add(declaration.alias, declaration.span);
  for (const instance of state.instances) addInstance(instance);
  return aliases;
}

function checkInstance(
  state: CompileState,
  instance: MofInstance,
  aliases: ReadonlyMap<string, Span>,
): void {
  const { className, span } = instance;
  const info = state.tree.get(className);
  if (info === undefined) {
    const near = nearestName(className, [...state.tree.names()]);
    const hint = near === undefined ? undefined : `did you mean ${near}?`;
    state.sink.report('E-INSTANCE-CLASS', span, `unknown class ${className}`, { hint });
  }
  const isOpen = state.tree.lineage(className).some((each) => each.isOpen) || info === undefined;
  const properties = new Map<string, MofProperty>();
  for (const { feature } of state.tree.membersOf(className)) {
    if (feature.kind === 'property') properties.set(feature.name.toLowerCase(), feature);
  }
  const seen = new Map<string, Span>();
  for (const assignment of instance.properties) {
    const key = assignment.name.toLowerCase();
    const first = seen.get(key);
    if (first !== undefined) {
      const message = `the instance of ${className} sets ${assignment.name} twice`;
      state.sink.report('E-NAME-DUPLICATE', assignment.span, message, { related: first });
    }
    seen.set(key, assignment.span);
    const property = properties.get(key);
    // Names with two underscores are WMI's own, e.g. __PATH in dumps.
    if (property === undefined && !isOpen && !key.startsWith('__')) {
      const near = nearestName(
        assignment.name,
        [...properties.values()].map((each) => each.name),
      );
      const hint = near === undefined ? undefined : `did you mean ${near}?`;
      const message = `${className} has no property ${assignment.name}`;
      state.sink.report('E-INSTANCE-PROPERTY', assignment.span, message, { hint });
    }
    checkAssignment(state, assignment, property, aliases);
  }
}

function checkAssignment(
  state: CompileState,
  assignment: MofAssignment,
  property: MofProperty | undefined,
  aliases: ReadonlyMap<string, Span>,
): void {
  const { name, value } = assignment;
  for (const item of value.kind === 'array' ? value.items : [value]) {
    if (item.kind === 'instance') checkInstance(state, item.instance, aliases);
    if (item.kind === 'alias' && !aliases.has(item.name.toLowerCase())) {
      state.sink.report('E-ALIAS', item.span, `no instance has the alias $${item.name}`);
    }
  }
  if (property === undefined) return;
  const { type } = property;
  if (type.kind === 'scalar' && !hasObject(value)) {
    const target = { name, type: type.name, isArray: property.array !== undefined };
    convertValue(value, target, state.sink);
    return;
  }
  const isString = type.kind === 'scalar' && type.name === 'string';
  const bad = (value.kind === 'array' ? value.items : [value]).find((item) => {
    const isObject = item.kind === 'instance' || item.kind === 'alias';
    if (isObject) return type.kind === 'scalar' && !isString;
    return item.kind !== 'string' && item.kind !== 'null';
  });
  if (bad === undefined) return;
  const expected = type.kind === 'scalar' ? type.name : `${type.kind} ${type.name}`;
  const message = `${name} is ${expected}; found ${describeValue(bad)}`;
  state.sink.report('E-VALUE-TYPE', bad.span, message);
}

function hasObject(value: MofValue): boolean {
  const items = value.kind === 'array' ? value.items : [value];
  return items.some((item) => item.kind === 'instance' || item.kind === 'alias');
}
