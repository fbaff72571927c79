// Passkeys: hands the portal's options to the browser, and the browser's answer to the form around the button.
"use strict";

const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const ids = (list) => (list ?? []).map((one) => ({ ...one, id: bytes(one.id) }));

const create = async (options) => {
  const made = await navigator.credentials.create({ publicKey: {
    ...options,
    challenge: bytes(options.challenge),
    user: { ...options.user, id: bytes(options.user.id) },
    excludeCredentials: ids(options.excludeCredentials),
  } });
  return { made, response: {
    clientDataJSON: text(made.response.clientDataJSON),
    attestationObject: text(made.response.attestationObject),
    transports: made.response.getTransports?.() ?? [],
  } };
};

const get = async (options) => {
  const made = await navigator.credentials.get({ publicKey: {
    ...options,
    challenge: bytes(options.challenge),
    allowCredentials: ids(options.allowCredentials),
  } });
  return { made, response: {
    clientDataJSON: text(made.response.clientDataJSON),
    authenticatorData: text(made.response.authenticatorData),
    signature: text(made.response.signature),
    userHandle: made.response.userHandle ? text(made.response.userHandle) : null,
  } };
};

document.querySelectorAll("form[data-passkey]").forEach((form) => {
  if (!window.PublicKeyCredential) {
    document.querySelectorAll("[data-no-passkeys]").forEach((sentence) => { sentence.hidden = false; });
    return;
  }
  form.hidden = false;
  const says = form.querySelector("[data-passkey-says]");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    says.textContent = "";
    try {
      const ceremony = form.dataset.passkey === "create" ? create : get;
      const { made, response } = await ceremony(JSON.parse(form.dataset.options));
      form.elements.passkey.value = JSON.stringify({ id: made.id, rawId: text(made.rawId), type: made.type, response });
    } catch (error) {
      says.textContent = error.name === "InvalidStateError"
        ? "This device has a passkey for your account already."
        : "The browser gave no passkey. Try again, or use another way.";
      return;
    }
    form.submit();
  });
});
