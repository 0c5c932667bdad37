package conffile

import (
	"slices"
	"strings"
)

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

// dockerRun returns where the options of a docker run start, which may stand behind a prompt,
// sudo, variables or ssh; 0 if there is none.
func dockerRun(words []word) int {
	for i, w := range words {
		if !slices.Contains([]string{"docker", "podman", "nerdctl"}, w.text) {
			continue
		}
		i++
		if i < len(words) && words[i].text == "container" {
			i++
		}
		if i < len(words) && (words[i].text == "run" || words[i].text == "create") {
			return i + 1
		}
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
		isSwitch := slices.Contains(dockerSwitches, name) || !strings.HasPrefix(name, "--") && strings.Trim(name, "-ditPq") == ""
		at := w
		if !image && !hasValue && !isSwitch && i+1 < len(words) {
			i++
			value, at = words[i].text, words[i]
		}
		if !image && nearly(name, "--sysctl") {
			s.remark(s.at(w.line), UnknownWord, "%s: there is no such option: did you mean --sysctl?", name)
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
		s.implied(l)
		return
	}
	if host != nil {
		l.remark(s.at(host.line), Refused, "sysctls of net.* are refused together with --network host: the container does not start")
	}
	s.addSysctls(l)
}
