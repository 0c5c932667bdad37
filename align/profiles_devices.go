package align

import "github.com/tcpkeepalive/keepalive/platform"

// Firewalls and NATs, standards, and what was measured in the field.
var devicesProfiles = []Profile{
	{
		ID: "f5-bigip", Provider: "F5", Product: "BIG-IP TCP / fastL4 profile idle_timeout", Layer: "L4/L7",
		Timeout: 300 * second, TimeoutEvidence: verified,
		Expiry: silent, ExpiryText: "deleted; RST only if Reset on Timeout", ExpiryEvidence: verified,
		Refreshed: platform.Unknown, RefreshedEvidence: inferred,
		Source: "https://clouddocs.f5.com/products/orchestration/terraform/latest/",
		Note:   "fastL4 profiles are refreshed by probes, full proxies are not (inferred)",
	},
	{
		ID: "cisco-asa", Provider: "Cisco", Product: "ASA timeout conn", Layer: "L4 stateful",
		Timeout: 3600 * second, Min: 300 * second, Max: 4294800 * second, TimeoutEvidence: verified,
		Expiry: silent, ExpiryText: "slot freed silently; RST only with the reset keyword", ExpiryEvidence: verified,
		Refreshed: platform.Yes, RefreshedEvidence: inferred,
		Source: "https://www.cisco.com/c/en/us/td/docs/security/asa/asa-cli-reference/",
	},
	{
		ID: "paloalto", Provider: "Palo Alto", Product: "PAN-OS TCP session", Layer: "L4 stateful",
		Timeout: 3600 * second, Min: 1 * second, Max: 15999999 * second, TimeoutEvidence: verified,
		Expiry: silent, ExpiryText: "closed; silent drop", ExpiryEvidence: inferred,
		Refreshed: platform.Yes, RefreshedEvidence: inferred,
		Source: "https://docs.paloaltonetworks.com/ngfw/networking/session-settings-and-timeouts/configure-session-timeouts/configure-session-timeouts-pan-os",
	},
	{
		ID: "juniper-srx", Provider: "Juniper", Product: "SRX TCP default", Layer: "L4 stateful",
		Timeout: 1800 * second, TimeoutEvidence: verified,
		Expiry: silent, ExpiryText: "session removed; silent drop", ExpiryEvidence: inferred,
		Refreshed: platform.Yes, RefreshedEvidence: inferred,
		Source: "https://www.juniper.net/documentation/en_US/junos12.2/topics/concept/policy-application-timeout-configuration-lookup-understanding.html",
	},
	{
		ID: "juniper-ms", Provider: "Juniper", Product: "services (MS/AS) interface inactivity-timeout", Layer: "L4 stateful/NAT",
		Timeout: 30 * second, Min: 4 * second, Max: 86400 * second, TimeoutEvidence: verified,
		Expiry: other, ExpiryText: "flow no longer valid", ExpiryEvidence: verified,
		Refreshed: platform.Yes, RefreshedEvidence: inferred,
		Source: "https://juniper.net/documentation/en_US/junos13.1/topics/usage-guidelines/services-configuring-default-timeout-settings-for-services-interfaces.html",
	},
	{
		ID: "fortigate", Provider: "Fortinet", Product: "FortiGate session-ttl", Layer: "L4 stateful",
		Timeout: 3600 * second, Min: 300 * second, Max: 604800 * second, TimeoutEvidence: verified,
		HalfClosed: 120 * second, HalfClosedEvidence: verified,
		Expiry: silent, ExpiryText: "dropped", ExpiryEvidence: verified,
		Refreshed: platform.Yes, RefreshedEvidence: inferred,
		Source: "https://docs.fortinet.com/document/fortigate/6.0.0/cli-reference/476602",
	},
	{
		ID: "rfc5382-nat", Provider: "IETF", Product: "RFC 5382 REQ-5 NAT minimum", Layer: "L4 NAT",
		Timeout: 7440 * second, Min: 7440 * second, TimeoutEvidence: verified,
		Expiry: other, ExpiryText: "NAT may abandon session", ExpiryEvidence: verified,
		Refreshed: platform.Yes, RefreshedEvidence: inferred,
		Source: "https://www.rfc-editor.org/rfc/rfc5382#section-5",
		Note:   "what a standard asks of NATs, 2 hours 4 minutes; many forget earlier",
	},
	{
		ID: "home-nat-measured", Provider: "Home gateways", Product: "Hatonen et al. IMC 2010, 34 devices", Layer: "L4 NAT",
		Timeout: 239 * second, TimeoutEvidence: fromMemory,
		Expiry: silent, ExpiryText: "silent drop", ExpiryEvidence: fromMemory,
		Refreshed: platform.Yes, RefreshedEvidence: fromMemory,
		Source: "https://dl.acm.org/doi/10.1145/1879141.1879174",
		Note:   "devices differ, from 239 s to hours (about 1 hour is common): the timeout here is the shortest that was measured",
	},
	{
		ID: "cellular-nat-measured", Provider: "Cellular carriers", Product: "Wang et al. SIGCOMM 2011 (NetPiculet), >100 ISPs", Layer: "L4 NAT/firewall",
		TimeoutEvidence: fromMemory,
		Expiry:          silent, ExpiryText: "silent drop", ExpiryEvidence: fromMemory,
		Refreshed: platform.Yes, RefreshedEvidence: fromMemory,
		Source: "https://dl.acm.org/doi/10.1145/2018436.2018479",
		Note:   "carriers differ; no single figure",
	},
	{
		ID: "android-eas-mobile", Provider: "Android", Product: "Exchange client heartbeat on mobile data", Layer: "client heuristic",
		Kind: heuristic, Timeout: 295 * second, TimeoutEvidence: verified,
		Expiry: unknown, ExpiryEvidence: notFound,
		Refreshed: platform.Unknown, RefreshedEvidence: notFound,
		Source: "https://android.googlesource.com/platform/packages/apps/Exchange/+/9d9f242c062b403c10a97d259c05a5a3e665b594%5E1..9d9f242c062b403c10a97d259c05a5a3e665b594/",
	},
}
