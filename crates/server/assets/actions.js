// What operators can do, each after a confirmation.

import { ask } from "./api.js";
import { confirm } from "./dialog.js";
import { h } from "./dom.js";
import { live, refresh } from "./live.js";

const segment = encodeURIComponent;
const REASON = { name: "reason", label: "Reason, for the event log", placeholder: "optional" };

async function post(path, body) {
  await ask(path, { method: "POST", body: Object.fromEntries(Object.entries(body).filter(([, value]) => value !== "")) });
  refresh();
}

async function remove(path) {
  await ask(path, { method: "DELETE" });
  refresh();
}

export const hold = (vm) => confirm({
  title: `Hold ${vm.name}?`,
  text: vm.lease ? "It is kept for debugging when its lease ends, and then destroyed." : "It is kept for debugging, given to nobody, and then destroyed.",
  fields: [REASON, { name: "time", label: "For how long", value: "1d", placeholder: "such as 2h or 1d" }],
  verb: "Hold",
  run: async (values) => {
    await post(`/v1/vms/${segment(vm.name)}/hold`, values);
    return `${vm.name} is held`;
  },
});

export const unhold = (vm) => confirm({
  title: `Stop holding ${vm.name}?`,
  text: "It is destroyed, or cleaned and checked and used again, as its pool does with what is released.",
  verb: "Stop holding",
  run: async () => {
    await post(`/v1/vms/${segment(vm.name)}/unhold`, {});
    return `${vm.name} is not held any more`;
  },
});

export const terminate = (vm) => confirm({
  title: `Terminate ${vm.name}?`,
  text: vm.lease ? `${vm.owner ?? "Somebody"} is using it: the lease ends at once, and what runs there is lost.` : "It is destroyed; the pool makes another one if it needs it.",
  fields: [REASON],
  verb: "Terminate",
  danger: true,
  run: async (values) => {
    await post(`/v1/vms/${segment(vm.name)}/terminate`, values);
    return `${vm.name} is terminated`;
  },
});

export const release = (lease) => confirm({
  title: `Release the lease of ${lease.owner}?`,
  text: `${lease.vm} is given back as if its holder had done so; whoever uses it loses it.`,
  verb: "Release",
  danger: true,
  run: async () => {
    await remove(`/v1/leases/${segment(lease.id)}`);
    return `${lease.vm} is given back`;
  },
});

export const cancel = (request) => confirm({
  title: `Cancel request ${request.id}?`,
  text: `${request.owner} gets no VM for it.`,
  verb: "Cancel the request",
  danger: true,
  run: async () => {
    await remove(`/v1/requests/${segment(request.id)}`);
    return `${request.id} is cancelled`;
  },
});

export const drain = (pool) => confirm({
  title: `Drain ${pool.name}?`,
  text: "It makes and gives no VMs any more, and destroys what nobody uses. Leases go on until they end.",
  fields: [REASON],
  verb: "Drain",
  danger: true,
  run: async (values) => {
    await post(`/v1/pools/${segment(pool.name)}/drain`, values);
    return `${pool.name} is drained`;
  },
});

export const undrain = (pool) => confirm({
  title: `Let ${pool.name} work again?`,
  text: "It makes and gives VMs again.",
  verb: "Undrain",
  run: async () => {
    await post(`/v1/pools/${segment(pool.name)}/undrain`, {});
    return `${pool.name} works again`;
  },
});

export const acceptLoss = (provider) => confirm({
  title: `Count the missing nodes of ${provider.name} as lost?`,
  text: `${provider.brake.missing} of ${provider.brake.known} nodes are missing. Their VMs and leases end, and new ones are made.`,
  verb: "They are lost",
  danger: true,
  run: async () => {
    await post(`/v1/providers/${segment(provider.name)}/accept-loss`, {});
    return `the missing nodes of ${provider.name} count as lost`;
  },
});

// Readers see no buttons at all.
export function button(label, act, { kind = "", name, disabled = false } = {}) {
  return live.canOperate() && h("button", { type: "button", class: `button small ${kind}`, "aria-label": name ? `${label} ${name}` : undefined, disabled, onclick: act }, label);
}

export function vmButtons(vm) {
  const lease = vm.lease && live.leases.get(vm.lease);
  const over = vm.state === "terminating";
  return [
    vm.held_until === undefined ? button("Hold", () => hold(vm), { name: vm.name, disabled: over }) : button("Unhold", () => unhold(vm), { name: vm.name, disabled: over }),
    lease && button("Release", () => release(lease), { name: vm.name }),
    button("Terminate", () => terminate(vm), { kind: "danger-text", name: vm.name, disabled: over }),
  ];
}
