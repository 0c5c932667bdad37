package conffile

import (
	"fmt"
	"strings"
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
			s.pods(object, strings.TrimSpace(name))
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
	if security := n.get("securityContext"); security != nil {
		if list := security.get("sysctls"); list != nil {
			s.podSysctls(n, list, name)
		}
	}
	for _, c := range n.children() {
		s.pods(c, name)
	}
}

func (s *source) podSysctls(spec, list *node, name string) {
	l := sysctlsOf(s.at(list.line), "sockets in "+name)
	l.refusal = "the pod does not start"
	any := false
	for _, item := range list.items {
		key, value := item.str("name"), item.get("value")
		if value == nil {
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

// readCompose reads the sysctls of services: a mapping, or a list of name=value.
// https://docs.docker.com/reference/compose-file/services/#sysctls
func readCompose(s *source) error {
	trees, err := s.trees()
	if err != nil {
		return err
	}
	for _, n := range trees {
		services := n.get("services")
		if services == nil || services.fields == nil {
			return wrong(s.at(n.line), "services, a mapping")
		}
		for _, name := range services.keys {
			service := services.fields[name]
			if list := service.get("sysctls"); list != nil {
				s.composeSysctls(service, list, name)
			}
			if e := service.get("extends"); e != nil {
				s.remark(s.at(e.line), Unread, "service %s extends another one, whose sysctls were not looked at: give what docker compose config prints", name)
			}
		}
		if i := n.get("include"); i != nil {
			s.remark(s.at(i.line), Unread, "include was not looked at: give what docker compose config prints")
		}
	}
	return nil
}

func (s *source) composeSysctls(service, list *node, name string) {
	l := sysctlsOf(s.at(list.line), "sockets in service "+name)
	l.refusal = "the container does not start"
	any := false
	for _, key := range list.keys {
		v := list.fields[key]
		any = l.set(key, v.text, origin{s.at(v.line), key + ": " + v.text}) || any
	}
	for _, item := range list.items {
		key, text, _ := strings.Cut(item.text, "=")
		any = l.set(strings.TrimSpace(key), strings.TrimSpace(text), origin{s.at(item.line), item.text}) || any
	}
	if !any {
		return
	}
	if mode := service.str("network_mode"); mode == "host" {
		l.remark(s.at(list.line), Refused, "sysctls of net.* are refused together with network_mode: host: the container does not start")
	} else if strings.HasPrefix(mode, "service:") || strings.HasPrefix(mode, "container:") {
		l.remark(s.at(list.line), Refused, "sysctls of net.* are refused together with network_mode: %s: they belong to the container that owns the network", mode)
	}
	s.addSysctls(l)
}

// readDocker reads docker run --sysctl, in a shell script or on its own.
// https://docs.docker.com/reference/cli/docker/container/run/#sysctl
func readDocker(s *source) error {
	commands, err := s.shell()
	if err != nil {
		return err
	}
	for _, words := range commands {
		if i := dockerRun(words); i > 0 {
			s.dockerRun(words[0].line, words[i:])
		}
	}
	return nil
}

// dockerRun returns where the options of a docker run start, 0 if it is none.
func dockerRun(words []word) int {
	i := 0
	for i < len(words) && (words[i].text == "sudo" || words[i].text == "$" || words[i].text == "exec") {
		i++
	}
	if i >= len(words) || !contains([]string{"docker", "podman", "nerdctl"}, words[i].text) {
		return 0
	}
	i++
	if i < len(words) && words[i].text == "container" {
		i++
	}
	if i < len(words) && (words[i].text == "run" || words[i].text == "create") {
		return i + 1
	}
	return 0
}

// Options of docker run that take no value. All others take one, in the next word unless
// there is a =.
var dockerSwitches = []string{
	"--detach", "--disable-content-trust", "--help", "--init", "--interactive", "--no-healthcheck", "--oom-kill-disable",
	"--privileged", "--publish-all", "--quiet", "--read-only", "--rm", "--sig-proxy", "--tty", "--use-api-socket", "--replace", "--no-hosts",
}

func (s *source) dockerRun(line int, words []word) {
	l := sysctlsOf(s.at(line), "sockets in the container")
	l.refusal = "the container does not start"
	any := false // an option of ours
	var host *word
	image := false // the name of the image ends the options
	for i := 0; i < len(words); i++ {
		w := words[i]
		name, value, hasValue := strings.Cut(w.text, "=")
		if !image && !strings.HasPrefix(w.text, "-") {
			image = true
			l.Name = "sockets in a container of " + w.text
			continue
		}
		isSwitch := contains(dockerSwitches, name) || !strings.HasPrefix(name, "--") && strings.Trim(name, "-ditPq") == ""
		at := w
		if !image && !hasValue && !isSwitch && i+1 < len(words) {
			i++
			value, at = words[i].text, words[i]
		}
		switch name {
		case "--sysctl":
			if image {
				s.remark(s.at(w.line), Ignored, "--sysctl stands after the image: it is an argument of the program, not of docker")
				continue
			}
			key, text, _ := strings.Cut(value, "=")
			any = l.set(key, text, origin{s.at(at.line), "--sysctl " + value}) || any
		case "--network", "--net":
			if value == "host" && !image {
				host = &at
			}
		}
	}
	if !any {
		return
	}
	if host != nil {
		l.remark(s.at(host.line), Refused, "sysctls of net.* are refused together with --network host: the container does not start")
	}
	s.addSysctls(l)
}

// A word is one of a shell command, and its line.
type word struct {
	text string
	line int
}

// shell splits a text into commands and their words, as far as a command line of docker
// needs it: quotes, backslashes, comments, ; & and |. Nothing is expanded.
func (s *source) shell() (commands [][]word, err error) {
	var words []word
	var w strings.Builder
	line, started, inWord := 1, 1, false
	flush := func() {
		if inWord {
			words = append(words, word{w.String(), started})
		}
		w.Reset()
		inWord = false
	}
	begin := func() {
		if !inWord {
			started, inWord = line, true
		}
	}
	text := s.Text
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case ' ', '\t', '\r':
			flush()
		case '\n', ';', '&', '|':
			flush()
			if len(words) > 0 {
				commands = append(commands, words)
				words = nil
			}
			if c == '\n' {
				line++
			}
		case '#':
			if inWord {
				w.WriteByte(c)
				continue
			}
			if i+1 < len(text) && text[i+1] == ' ' && len(words) == 0 && dockerLike().MatchString(text[i:lineEnd(text, i)]) {
				continue // a prompt of root
			}
			i = lineEnd(text, i) - 1
		case '\\':
			if i++; i < len(text) && text[i] == '\n' {
				line++
			} else if i < len(text) {
				begin()
				w.WriteByte(text[i])
			}
		case '\'', '"':
			begin()
			end := i + 1
			for end < len(text) && text[end] != c {
				if c == '"' && text[end] == '\\' && end+1 < len(text) {
					end++
				}
				w.WriteByte(text[end])
				if text[end] == '\n' {
					line++
				}
				end++
			}
			if end >= len(text) {
				return nil, wrong(s.at(started), "the end of the quotes that start here: %s", fmt.Sprintf("%c", c))
			}
			i = end
		default:
			begin()
			w.WriteByte(c)
		}
	}
	flush()
	if len(words) > 0 {
		commands = append(commands, words)
	}
	return commands, nil
}

// lineEnd returns the offset of the end of the line.
func lineEnd(text string, i int) int {
	if n := strings.IndexByte(text[i:], '\n'); n >= 0 {
		return i + n
	}
	return len(text)
}
