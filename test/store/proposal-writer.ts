import { parseProposal } from '../../src/core/edit/proposal.ts';
import { parseGun } from '../../src/core/names/gun.ts';
import { parseDelegation } from '../../src/core/names/role.ts';
import { ProposalFolder } from '../../src/store/proposal-folder.ts';
import { proposalOf } from '../core/edit/proposal-store.suite.ts';

// Started as a process of its own: adds roles to a proposal, one after the other, and prints each that is in it.

const [base = '', name = '', writer = '', count = '0'] = process.argv.slice(2);
const gun = parseGun(name);
const folder = new ProposalFolder(base);

for (let index = 0; index < Number(count); ) {
  const former = await folder.read(gun);
  const present = former === undefined ? [] : [...parseProposal(former).files.keys()];
  const role = parseDelegation(`targets/${writer}-${index}`);
  if (!(await folder.replace(gun, former, proposalOf(gun, 'x', [...present, role])))) continue;
  console.log(role);
  index++;
}
