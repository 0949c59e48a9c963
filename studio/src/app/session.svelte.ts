// Who is here, and what they may do.

import { entering } from '../api/calls';
import type { Role, Session, Status } from '../api/types';

const rank: Record<Role, number> = { viewer: 0, labeller: 1, editor: 2, owner: 3 };

class Who {
  /** undefined: not asked yet; null: nobody. */
  session = $state.raw<Session | null | undefined>(undefined);
  status = $state.raw<Status | undefined>(undefined);

  may(role: Role): boolean {
    return !!this.session && rank[this.session.person.role] >= rank[role];
  }

  /** Asks the server both; throws when it does not answer. */
  async ask(): Promise<void> {
    this.status = await entering.status();
    if (this.status.needs_setup) this.session = null;
    else
      this.session = await entering.session().catch((error) => {
        if (error.status === 401) return null;
        throw error;
      });
  }

  async logout(): Promise<void> {
    await entering.logout();
    this.session = null;
  }
}

export const who = new Who();
