// Kernel modules as a kernel without module support has them: none to list, none to load.
//
// Takes the place of the file of the same name of the agent, which stops when /proc/modules is
// not there. On a kernel that has that file, the loaded modules are listed as always.

package modules

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strings"
)

const loadedModulesFilepath = "/proc/modules"

// moduleLoader names the program that loads a module. Without module support everything the
// kernel can do is built in, so there is nothing to run.
func moduleLoader() string {
	if _, err := os.Stat(loadedModulesFilepath); errors.Is(err, os.ErrNotExist) {
		return "true"
	}
	return "modprobe"
}

// listModules names the loaded modules; none when the kernel has no module support.
func listModules() ([]string, error) {
	file, err := os.Open(loadedModulesFilepath)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("loaded modules: %w", err)
	}
	defer file.Close()
	var names []string
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		name, _, _ := strings.Cut(lines.Text(), " ")
		names = append(names, name)
	}
	return names, lines.Err()
}
