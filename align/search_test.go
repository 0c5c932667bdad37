package align_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tcpkeepalive/keepalive/align"
)

func search(words ...string) []string {
	var found []string
	for _, p := range new(align.Catalog).Search(words...) {
		found = append(found, p.ID)
	}
	return found
}

// TestSearchFindsWhatPeopleType: the first row is the one that is meant.
func TestSearchFindsWhatPeopleType(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ typed, want string }{
		{"gke", "gcp-vpc-conntrack"},
		{"k8s", "kube-proxy-conntrack"},
		{"tgw", "aws-transit-gateway"},
		{"elb", "aws-clb"},
		{"google load balancer", "gcp-global-ext-alb-client"},
		{"aliyun", "alibaba-nlb"},
		{"iptables", "linux-conntrack"},
		{"netfilter", "linux-conntrack"},
		{"linux nat", "linux-conntrack"},
		{"vpn", "cisco-asa"},
		{"mobile", "cellular-nat-measured"},
		{"cloudflare tunnel", "cloudflared-origin"},
		{"wsl", "wsl"},
		{"aws nlb", "aws-nlb-tcp"},
		{"alb", "aws-alb"},
		{"azure load balancer", "azure-lb"},
		{"amazon nat gateway", "aws-nat-gateway"},
		{"mariadb", "mysql"},
		{"postgres", "postgresql"},
		{"docker desktop", "docker-desktop"},
		{"eks", "aws-nlb-tcp"},
		{"valkey", "redis"},
		{"fritzbox", "avm-fritzbox"},
		{"opnsense", "pfsense"},
		{"istio", "istio-tcp"},
		{"kafka", "kafka-broker"},
		{"rds proxy", "aws-rds-proxy"},
		{"Node.js", "nodejs"},
		{"HAPROXY", "haproxy"},
		{"kubectl", "kubelet-streaming"},
		{"home router", "home-nat-measured"},
		{"front door", "azure-frontdoor-client"},
		{"application load balancer", "aws-alb"},
		{"network load balancer", "aws-nlb-tcp"},
		{"classic load balancer", "aws-clb"},
		{"elastic load balancer", "aws-clb"},
		{"gateway load balancer", "aws-gwlb"},
		{"load balancer", "aws-nlb-tcp"},
		{"gcp application load balancer", "gcp-global-ext-alb-client"},
		{"oci network load balancer", "oci-nlb-tcp"},
		{"aws_nlb", "aws-nlb-tcp"},
		{"awsnlb", "aws-nlb-tcp"},
		{"NATgateway", "aws-nat-gateway"},
		{"nf_conntrack_tcp_timeout_established", "linux-conntrack"},
		{"cdn", "aws-cloudfront-origin"},
		{"golang", "go-http"},
		{"firewalld", "linux-conntrack"},
		{"ufw", "linux-conntrack"},
		{"cloud sql", "mysql"},
		{"cloudsql", "mysql"},
		{"cloud", "gcp-cloud-nat"},
		{"aurora", "mysql"},
		{"lte", "cellular-nat-measured"},
		{"sg", "aws-sg-conntrack"},
	} {
		found := search(strings.Fields(tt.typed)...)
		if assert.NotEmpty(t, found, tt.typed) {
			assert.Equal(t, tt.want, found[0], "%s: %v", tt.typed, found)
		}
	}
}

func TestSearch(t *testing.T) {
	t.Parallel()
	assert.NotContains(t, search("nlb", "aws"), "alibaba-nlb")
	assert.Contains(t, search("GATEWAY"), "aws-nat-gateway")
	assert.Equal(t, []string{"aws-alb-client-keepalive", "aws-apigw-websocket-age", "gcp-websocket", "pgbouncer-server-lifetime"}, search("maximum age"))
	assert.Subset(t, search("server timeout"), []string{"mysql", "nodejs", "kafka-broker"})
	assert.Equal(t, []string{"mysql", "postgresql"}, search("aurora"))
	assert.Equal(t, []string{"mysql", "postgresql"}, search("cloud", "sql"))
	assert.Subset(t, search("network", "load", "balancer"), []string{"aws-nlb-tls", "gcp-proxy-nlb", "oci-nlb-tcp", "alibaba-nlb"})
	assert.Subset(t, search("application", "load", "balancer"), []string{"gcp-alb-backend"})
	assert.Subset(t, search("cdn"), []string{"azure-frontdoor-client", "cloudflare-client-h1"})
	// Words of up to three letters only match where a word begins.
	assert.Equal(t, []string{"cellular-nat-measured"}, search("lte"))
	assert.Equal(t, []string{"aws-sg-conntrack", "aws-sg-conntrack-nitrov6"}, search("sg"))
	assert.Subset(t, search("lb"), []string{"azure-lb", "aws-alb"})
	assert.Empty(t, search("nothing is called so"))
	assert.Empty(t, search("aws", "nobody"))
	assert.Len(t, search(), len(new(align.Catalog).Profiles()))
	for _, p := range new(align.Catalog).Profiles() {
		assert.Equal(t, p.ID, search(p.ID)[0], "an ID finds itself first")
	}
}

func TestUnknownProfileSuggests(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ id, want string }{
		{"aws-nlb", `no profile "aws-nlb": did you mean aws-nlb-tcp (NLB, TCP listener), aws-nlb-tls (`},
		{"nginx", `no profile "nginx": did you mean nginx-stream (stream proxy_timeout), nginx-http (keepalive_timeout, towards clients), nginx-http-upstream (keepalive_timeout of an upstream block, towards servers), nginx-http2-idle (`},
		{"aws nlb", `no profile "aws nlb": did you mean aws-nlb-tcp, aws-nlb-tls`},
		{"AWS NLB", `no profile "AWS NLB": did you mean aws-nlb-tcp, aws-nlb-tls`},
		{"aws_nlb", `no profile "aws_nlb": did you mean aws-nlb-tcp, aws-nlb-tls`},
		{"awsnlb", `no profile "awsnlb": did you mean aws-nlb-tcp, aws-nlb-tls`},
		{"elb", `did you mean aws-clb, huawei-elb-tcp`},
		{"iptables", `did you mean linux-conntrack?`},
		{"AWS-NLB-TPC", `no profile "AWS-NLB-TPC": did you mean aws-nlb-tcp, aws-nlb-tls`},
		{"aws-nat-gatway", `no profile "aws-nat-gatway": did you mean aws-nat-gateway`},
		{"azure-frontdoor-origin", `did you mean azure-frontdoor-std-origin, azure-frontdoor-classic-origin`},
		{"enovy-tcp-proxy", `did you mean envoy-tcp-proxy`},
		{"xyzzy-unheard-of", `no profile "xyzzy-unheard-of"`},
		{"", `no profile ""`},
	} {
		_, err := new(align.Catalog).Lookup(tt.id)
		assert.ErrorContains(t, err, tt.want)
	}
}
