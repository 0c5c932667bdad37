package align

import (
	"cmp"
	"slices"
	"strings"
)

// Search returns the profiles that every one of the words describes, in upper or lower
// case, the best match first: words of an ID count more than those of the provider, the
// product, the layer and the kind. Words that mean a provider or a product are found as
// well: gke, k8s, elb, iptables. A word of up to three letters only matches the beginning
// of a word; hyphens and underscores in an ID may be left out. Without words it returns all
// profiles.
func (c *Catalog) Search(words ...string) []Profile {
	profiles := c.Profiles()
	if len(words) == 0 {
		return profiles
	}
	type match struct {
		profile Profile
		score   int
	}
	var found []match
	for _, p := range profiles {
		if score := p.score(words); score > 0 {
			found = append(found, match{p, score})
		}
	}
	slices.SortStableFunc(found, func(a, b match) int { return cmp.Compare(b.score, a.score) })
	result := make([]Profile, len(found))
	for i, m := range found {
		result[i] = m.profile
	}
	return result
}

// score returns how well the words describe the profile, 0 if one of them does not.
func (p Profile) score(words []string) int {
	id := strings.ToLower(p.ID)
	parts := strings.Split(id, "-")
	text := strings.ToLower(strings.Join([]string{p.Provider, p.Product, p.Layer, p.Kind.String(), p.Protocol}, " "))
	wider := p.synonyms()
	sum := 0
	for _, w := range words {
		switch w = strings.ToLower(w); {
		case w == id:
			sum += 6
		case w == parts[0]:
			sum += 5
		case slices.Contains(parts, w), slices.Contains(strings.Fields(p.also), w):
			sum += 4
		case slices.Contains(tokens(text), w):
			sum += 3
		case within(id, w), within(text, w), joined(parts, w):
			sum += 2
		case within(wider, w), within(p.also, w), joined(tokens(p.also), w):
			sum++
		default:
			return 0
		}
	}
	return sum
}

// within reports whether a text has the word. A short one would be inside of many others,
// as lte is in netfilter and sg in asgi, so it has to begin one.
func within(text, word string) bool {
	if len(word) > 3 || len(tokens(word)) != 1 {
		return strings.Contains(text, word)
	}
	return slices.ContainsFunc(tokens(text), func(t string) bool { return strings.HasPrefix(t, word) })
}

// joined reports whether the word is some of these parts with other hyphens or none between
// them: aws_nlb, natgateway.
func joined(parts []string, word string) bool {
	word = strings.Join(tokens(word), "")
	for i := range parts {
		if len(word) > 3 && strings.HasPrefix(strings.Join(parts[i:], ""), word) {
			return true
		}
	}
	return false
}

func tokens(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" ,/()-_.:", r) })
}

// synonyms are what people and vendors call the provider and the kind of product.
func (p Profile) synonyms() string {
	var all []string
	switch p.Provider {
	case "AWS":
		all = append(all, "amazon ec2 eks")
	case "Azure":
		all = append(all, "microsoft aks")
	case "GCP":
		all = append(all, "google cloud gke")
	case "Alibaba Cloud":
		all = append(all, "aliyun")
	case "Kubernetes":
		all = append(all, "k8s kube")
	case "Cilium", "Calico", "Istio", "Linkerd", "OpenShift":
		all = append(all, "k8s kubernetes")
	}
	for part := range strings.SplitSeq(p.ID, "-") {
		switch part {
		case "alb":
			all = append(all, "application load balancer loadbalancer lb")
		case "nlb":
			all = append(all, "network load balancer loadbalancer lb")
		case "clb", "elb", "lb", "gwlb":
			all = append(all, "load balancer loadbalancer lb")
		case "cloudflare", "cloudfront", "frontdoor":
			all = append(all, "cdn content delivery network")
		case "conntrack", "ct":
			all = append(all, "firewall stateful")
		case "nat":
			all = append(all, "snat masquerade")
		case "k8s", "kubelet", "kube":
			all = append(all, "kubernetes")
		}
	}
	return strings.Join(all, " ")
}

// suggest returns at most three IDs that may be meant by a text that is none: those that
// its words describe, then those that look similar.
func (c *Catalog) suggest(text string, similar []string) []string {
	words := tokens(text)
	var ids []string
	if len(words) > 0 && !slices.ContainsFunc(words, func(w string) bool { return len(w) < 2 }) {
		for _, p := range c.Search(words...) {
			ids = append(ids, p.ID)
		}
	}
	for _, id := range similar {
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids[:min(3, len(ids))]
}
