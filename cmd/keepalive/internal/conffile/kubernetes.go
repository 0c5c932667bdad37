package conffile

import (
	"cmp"
	"strings"

	"github.com/tcpkeepalive/keepalive/internal/alike"
)

// readKubernetes reads pods and everything that has a template of pods. The sysctls are
// those of a pod, so they stand beside its containers.
// https://kubernetes.io/docs/tasks/administer-cluster/sysctl-cluster/
func readKubernetes(s *source) error {
	trees, err := s.trees()
	if err != nil {
		return err
	}
	for _, n := range trees {
		if n.fields == nil {
			return wrong(s.at(n.line), "objects with apiVersion and kind")
		}
		objects := []*node{n}
		if items := n.get("items"); items != nil && n.get("kind") != nil {
			objects = items.items
		}
		for _, object := range objects {
			name := strings.ToLower(object.str("kind")) + " " + object.get("metadata").str("name")
			s.pods(object, cmp.Or(strings.TrimSpace(name), "the pod"))
			s.mentions(object, "")
			switch object.str("kind") {
			case "EnvoyFilter":
				s.envoy(object)
			case "DestinationRule":
				s.istio(object, strings.TrimSpace(name))
			}
		}
	}
	return nil
}

// pods finds the specs of pods, wherever they are.
func (s *source) pods(n *node, name string) {
	if context := n.get("securityContext"); context != nil {
		s.misspeltSysctls(context)
	}
	if list := n.get("securityContext").get("sysctls"); list != nil {
		s.podSysctls(n, list, name)
	} else if c := n.get("containers"); c != nil && c.items != nil {
		s.implied(sysctlsOf(s.at(n.line), "sockets in "+name))
	}
	for _, c := range n.children() {
		s.pods(c, name)
	}
}

// misspeltSysctls remarks on fields of a mapping that is to have sysctls.
func (s *source) misspeltSysctls(n *node) {
	for _, k := range n.keys {
		if nearly(k, "sysctls") {
			s.remark(s.at(n.fields[k].line), UnknownWord, "%s: there is no such field: did you mean sysctls?", k)
		}
	}
}

func (s *source) podSysctls(spec, list *node, name string) {
	l := sysctlsOf(s.at(list.line), "sockets in "+name)
	l.refusal = "the pod does not start"
	any := false
	for _, item := range list.items {
		key, value := item.str("name"), item.get("value")
		for _, k := range item.keys {
			if k != "name" && k != "value" {
				l.remark(s.at(item.fields[k].line), UnknownWord, "%s: a sysctl has a name and a value, and nothing else%s", k, alike.Question(alike.Nearest(k, []string{"name", "value"})))
			}
		}
		if key == "" || value == nil {
			l.remark(s.at(item.line), Refused, "%s: a sysctl has a name and a value: %s", cmp.Or(key, "no name"), l.refusal)
			any = true
			continue
		}
		o := origin{s.at(value.line), key + "=" + value.text}
		if !l.set(key, value.text, o) {
			continue
		}
		if any = true; !value.isText {
			l.remark(o.Place, Refused, `%s: the API server wants a string: write value: "%s"`, o.text, value.text)
		}
	}
	if !any {
		if spec.get("containers") != nil {
			s.implied(l)
		}
		return
	}
	at := s.at(list.line)
	switch {
	case spec.get("containers") == nil && spec.get("image") != nil:
		s.remark(at, Ignored, "the securityContext of a container has no sysctls: they belong into that of the pod, beside containers")
		return
	case spec.str("hostNetwork") == "true":
		l.remark(at, Refused, "sysctls of net.* are refused together with hostNetwork: true: the pod would change those of the node")
	}
	l.remark(at, Note, "these sysctls are safe since Kubernetes 1.29; before, the kubelet has to allow them (--allowed-unsafe-sysctls)")
	s.addSysctls(l)
}

// keepaliveWords are in the settings of other programs and in commands.
var keepaliveWords = pattern(`tcp_keepalive_(time|intvl|probes)|so_keepalive=|_socket_keepalive|\b(cli|srv)?tcpka\b|keepalives(_idle|_interval|_count)?=|tcp_user_timeout|tcp-keepalive|LD_PRELOAD=.*keepalive`)

// mentions finds settings in commands, environments and embedded files, which are not
// understood: without a word about them, there would seem to be nothing.
func (s *source) mentions(n *node, key string) {
	if key == "sysctls" {
		return
	}
	if n.scalar && keepaliveWords().MatchString(n.text) {
		s.remark(s.at(n.line), Unread, "%s mentions keepalive and is not understood in this place: give a configuration in it as a file of its own", cmp.Or(key, "this"))
	}
	for _, k := range n.keys {
		s.mentions(n.fields[k], k)
	}
	for _, item := range n.items {
		s.mentions(item, key)
	}
}
