import type { SwitchHandle } from '../../policy/api.ts';
import { jsonText } from './json-text.ts';
import { nicKey, portKey, propertyKey, type View } from './witness.ts';

/** What management shows of a switch, in the words of a {@link View}. */
export function switchView(sw: SwitchHandle): View {
  const view: View = new Map();
  for (const { id, settings } of sw.properties.list()) {
    view.set(propertyKey('the switch', id), jsonText(settings));
  }
  for (const { id, portId, type, nics } of sw.ports.list()) {
    view.set(portKey(portId), type);
    for (const nic of nics) view.set(nicKey(portId, nic.index), `${nic.type}, ${nic.state}`);
    for (const property of sw.ports.get(id).properties.list()) {
      view.set(propertyKey(portKey(portId), property.id), jsonText(property.settings));
    }
  }
  return view;
}
