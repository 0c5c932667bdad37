package align

import "github.com/tcpkeepalive/keepalive/platform"

// Google Cloud.
var gcpProfiles = []Profile{
	{
		ID: "gcp-vpc-conntrack", Provider: "GCP", Product: "VPC firewall connection tracking", Layer: "L4 stateful",
		Timeout: 600 * second, TimeoutEvidence: verified,
		Expiry: silent, ExpiryText: "flow re-evaluated as new: implied-deny ingress, silent drop", ExpiryEvidence: verified,
		Refreshed: platform.Yes, RefreshedEvidence: verified, Sender: "the VM: only its packets open an entry again that has expired",
		Source: "https://cloud.google.com/compute/docs/troubleshooting", Read: "2026-11",
		also: "gke google vm instance",
	},
	{
		ID: "gcp-cloud-nat", Provider: "GCP", Product: "Cloud NAT TCP established", Layer: "L4 NAT",
		Timeout: 1200 * second, Settable: platform.Yes, TimeoutEvidence: verified,
		HalfClosed: 30 * second, HalfClosedEvidence: inferred,
		Expiry: silent, ExpiryText: "mapping removed; silent drop", ExpiryEvidence: inferred,
		Refreshed: platform.Yes, RefreshedEvidence: inferred,
		Source: "https://registry.terraform.io/providers/hashicorp/google/latest/docs/resources/compute_router_nat", Read: "2026-11-27",
	},
	{
		ID: "gcp-psc-nat", Provider: "GCP", Product: "Private Service Connect NAT", Layer: "L4 NAT",
		Timeout: 1200 * second, TimeoutEvidence: verified,
		Expiry: silent, ExpiryText: "mapping removed; silent drop", ExpiryEvidence: inferred,
		Refreshed: platform.Yes, RefreshedEvidence: inferred,
		Source: "https://cloud.google.com/vpc/docs/about-vpc-hosted-services", Read: "2026-11",
	},
	{
		ID: "gcp-internal-passthrough-nlb", Provider: "GCP", Product: "Internal passthrough NLB conntrack", Layer: "L4",
		Timeout: 600 * second, Settable: platform.Yes, Min: 600 * second, Max: 57600 * second, TimeoutEvidence: verified,
		Expiry: other, ExpiryText: "entry removed; flow re-hashed", ExpiryEvidence: inferred,
		Refreshed: platform.Yes, RefreshedEvidence: inferred,
		Source: "https://registry.terraform.io/providers/hashicorp/google/latest/docs/resources/compute_region_backend_service", Read: "2026-11-27",
		Note: "can be set only with PER_SESSION tracking and an affinity of fewer than 5 fields",
	},
	{
		ID: "gcp-external-passthrough-nlb", Provider: "GCP", Product: "External passthrough NLB conntrack", Layer: "L4",
		Timeout: 60 * second, Settable: platform.No, TimeoutEvidence: verified,
		Expiry: other, ExpiryText: "entry removed; flow re-hashed, maybe other backend", ExpiryEvidence: inferred,
		Refreshed: platform.Yes, RefreshedEvidence: inferred,
		Source: "https://cloud.google.com/compute/docs/reference/rest/v1/regionBackendServices", Read: "2026-11",
		Note: "Terraform's page has a range of 60s to 57600s, the compute API says that it is not public",
	},
	{
		ID: "gcp-proxy-nlb", Provider: "GCP", Product: "Proxy NLB (TCP/SSL proxy)", Layer: "L4 proxy",
		Timeout: 30 * second, Settable: platform.Yes, Min: 1 * second, Max: 2147483647 * second, TimeoutEvidence: inferred,
		Expiry: closes, ExpiryText: "closed", ExpiryEvidence: fromMemory,
		Refreshed: platform.No, RefreshedEvidence: fromMemory,
		Source: "https://registry.terraform.io/providers/hashicorp/google/latest/docs/resources/compute_backend_service", Read: "2026-11-27",
		Note: "the figures are those of the backend service's timeout; that it is the idle timeout here was not read",
	},
	{
		ID: "gcp-global-ext-alb-client", Provider: "GCP", Product: "Global external ALB client HTTP keepalive", Layer: "L7",
		Timeout: 610 * second, Settable: platform.Yes, Min: 5 * second, Max: 1200 * second, TimeoutEvidence: verified,
		Expiry: closes, ExpiryText: "FIN / GOAWAY", ExpiryEvidence: verified,
		Refreshed: platform.No, RefreshedEvidence: inferred,
		Source: "https://registry.terraform.io/providers/hashicorp/google/latest/docs/resources/compute_target_https_proxy", Read: "2026-11-27",
		also: "google load balancer gclb glb",
	},
	{
		ID: "gcp-xregion-int-alb-client", Provider: "GCP", Product: "Cross-region internal ALB client HTTP keepalive", Layer: "L7",
		Timeout: 600 * second, Settable: platform.Yes, Min: 5 * second, Max: 600 * second, TimeoutEvidence: verified,
		Expiry: closes, ExpiryText: "FIN / GOAWAY", ExpiryEvidence: verified,
		Refreshed: platform.No, RefreshedEvidence: inferred,
		Source: "https://registry.terraform.io/providers/hashicorp/google/latest/docs/resources/compute_target_https_proxy", Read: "2026-11-27",
	},
	{
		ID: "gcp-regional-alb-client", Provider: "GCP", Product: "Regional ALB (Envoy) client HTTP keepalive", Layer: "L7",
		Timeout: 600 * second, Settable: platform.Yes, Min: 5 * second, Max: 600 * second, TimeoutEvidence: verified,
		Expiry: closes, ExpiryText: "FIN / GOAWAY", ExpiryEvidence: verified,
		Refreshed: platform.No, RefreshedEvidence: inferred,
		Source: "https://registry.terraform.io/providers/hashicorp/google/latest/docs/resources/compute_region_target_https_proxy", Read: "2026-11-27",
	},
	{
		ID: "gcp-alb-backend", Provider: "GCP", Product: "ALB to backend HTTP keepalive", Layer: "L7",
		Timeout: 600 * second, Settable: platform.No, TimeoutEvidence: verified,
		Expiry: closes, ExpiryText: "LB closes", ExpiryEvidence: verified,
		Refreshed: platform.No, RefreshedEvidence: inferred,
		Source: "https://cloud.google.com/load-balancing/docs/https/request-distribution", Read: "2026-11",
	},
	{
		ID: "gcp-websocket", Provider: "GCP", Product: "external ALB, age of a WebSocket (backend service timeoutSec)", Layer: "L7",
		Kind: maxAge, Protocol: "stream", Timeout: 30 * second, Settable: platform.Yes, Min: 1 * second, Max: 2147483647 * second, TimeoutEvidence: verified,
		Expiry: closes, ExpiryText: "closed", ExpiryEvidence: verified,
		Refreshed: platform.No, RefreshedEvidence: verified,
		Source: "https://github.com/kubernetes/ingress-gce/blob/master/examples/websocket/README.md", Read: "2026-11-27",
		Note: "not an idle timeout: no data keeps the connection longer",
	},
	{
		ID: "gcp-cloud-run", Provider: "GCP", Product: "Cloud Run request timeout (also of WebSockets)", Layer: "L7",
		Kind: requestLimit, Timeout: 300 * second, Settable: platform.Yes, Max: 3600 * second, TimeoutEvidence: verified,
		Expiry: other, ExpiryText: "504 to client, connection closed", ExpiryEvidence: verified,
		Refreshed: platform.No, RefreshedEvidence: verified,
		Source: "https://docs.cloud.google.com/run/docs/configuring/request-timeout", Read: "2026-11-27",
	},
}
