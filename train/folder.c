#include "train/folder.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"

static bool exists(const char *path)
{
    return access(path, F_OK) == 0;
}

static int name_files(struct tolk_training_folder *folder, struct tolk_error *error)
{
    folder->training = tolk_path_join(folder->path, "training");
    folder->model = tolk_path_join(folder->path, "model.safetensors");
    folder->card = tolk_path_join(folder->path, "README.md");
    if (folder->training != NULL) {
        folder->state = tolk_path_join(folder->training, "state.safetensors");
        folder->log = tolk_path_join(folder->training, "log.jsonl");
        folder->curves = tolk_path_join(folder->training, "curves.svg");
    }
    if (folder->model == NULL || folder->card == NULL || folder->state == NULL ||
        folder->log == NULL || folder->curves == NULL) {
        return tolk_error_set(error, "%s: out of memory", folder->path);
    }
    return 0;
}

static int take_lock(struct tolk_training_folder *folder, struct tolk_error *error)
{
    char *path = tolk_path_join(folder->training, "lock");
    if (path == NULL) {
        return tolk_error_set(error, "%s: out of memory", folder->path);
    }
    const int result = tolk_lock_take(&folder->lock, path, error);
    free(path);
    return result;
}

int tolk_training_folder_open(struct tolk_training_folder *folder, const char *path, bool restart,
                              struct tolk_error *error)
{
    *folder = (struct tolk_training_folder){.path = path, .lock = {-1}};
    if (name_files(folder, error) != 0 || tolk_folder_make(path, error) != 0 ||
        tolk_folder_make(folder->training, error) != 0 || take_lock(folder, error) != 0) {
        goto failed;
    }
    folder->resumes = exists(folder->state) && !restart;
    if (!folder->resumes && !restart && exists(folder->model)) {
        tolk_error_set(error,
                       "%s: expected no model, found one without the state of its training; give "
                       "another folder, or --restart to overwrite it",
                       folder->model);
        goto failed;
    }
    return 0;
failed:
    tolk_training_folder_close(folder);
    return -1;
}

int tolk_training_folder_clear(const struct tolk_training_folder *folder, struct tolk_error *error)
{
    const char *const files[] = {folder->state, folder->model, folder->log, folder->curves};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        if (unlink(files[i]) != 0 && errno != ENOENT) {
            return tolk_error_errno(error, "%s: cannot remove", files[i]);
        }
    }
    return 0;
}

void tolk_training_folder_close(struct tolk_training_folder *folder)
{
    tolk_lock_release(&folder->lock);
    free(folder->training);
    free(folder->model);
    free(folder->card);
    free(folder->state);
    free(folder->log);
    free(folder->curves);
    *folder = (struct tolk_training_folder){.lock = {-1}};
}
