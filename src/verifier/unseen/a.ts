import type { UnseenRule } from '../rule-check.ts';

/** Chapter A: components and driver stack. */
export const UNSEEN_A: readonly UnseenRule[] = [
  { rule: 'A14', because: 'packets', reason: 'about packets: no packets move in this version' },
  { rule: 'A15', because: 'packets', reason: 'about packets: no packets move in this version' },
  { rule: 'A16', because: 'packets', reason: 'about packets: no packets move in this version' },
  {
    rule: 'A18',
    because: 'may',
    reason: 'a permission: what a filtering extension may do breaks nothing',
  },
  { rule: 'A19', because: 'packets', reason: 'about packets: no packets move in this version' },
  { rule: 'A20', because: 'packets', reason: 'about packets: no packets move in this version' },
  { rule: 'A21', because: 'packets', reason: 'about packets: no packets move in this version' },
  {
    rule: 'A22',
    because: 'may',
    reason: 'a permission: vetoes of ports, NICs and properties break nothing',
  },
  { rule: 'A23', because: 'elsewhere', reason: 'seen as B25 and C41: the requests it would need' },
  { rule: 'A24', because: 'packets', reason: 'about packets: no packets move in this version' },
  { rule: 'A25', because: 'elsewhere', reason: 'seen as D36 for requests, H5 for indications' },
  {
    rule: 'A26',
    because: 'packets',
    reason: 'about hybrid forwarding: no packets move in this version',
  },
  {
    rule: 'A27',
    because: 'inside',
    reason:
      'where a provider keeps its state is its own; that it confuses adapters shows only in packets',
  },
  { rule: 'A28', because: 'inside', reason: 'a matter of the INF file' },
  { rule: 'A29', because: 'inside', reason: 'a matter of the INF file' },
  { rule: 'A30', because: 'inside', reason: 'a matter of the INF file' },
  { rule: 'A31', because: 'inside', reason: 'other media than a switch are not simulated' },
  {
    rule: 'A54',
    because: 'inside',
    reason: 'NdisFSetAttributes and allocations are calls of a native driver',
  },
  {
    rule: 'A55',
    because: 'inside',
    reason: 'NdisFGetOptionalSwitchHandlers is a call of a native driver',
  },
  { rule: 'A56', because: 'inside', reason: 'the SDK passes the context of the switch' },
  { rule: 'A57', because: 'inside', reason: 'other media than a switch are not simulated' },
  { rule: 'A58', because: 'packets', reason: 'about packets: no packets move in this version' },
  { rule: 'A59', because: 'packets', reason: 'about packets: no packets move in this version' },
  { rule: 'A60', because: 'packets', reason: 'about packets: no packets move in this version' },
  {
    rule: 'A64',
    because: 'may',
    reason: 'a permission: requests and indications go on while paused',
  },
  { rule: 'A71', because: 'inside', reason: 'the SDK passes events on whatever a handler does' },
  {
    rule: 'A74',
    because: 'inside',
    reason: 'what a driver has to build before it can decide is its own',
  },
];
