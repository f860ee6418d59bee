// The boundary with JavaScript: registration and conversion of values, described in types in src/binding.ts.

#include <napi.h>

#include <functional>
#include <memory>
#include <new>
#include <string>
#include <system_error>
#include <unordered_map>

#include "compute_peak.h"
#include "cpu_features.h"
#include "engine.h"
#include "memory_bandwidth.h"
#include "pages.h"

namespace {

using airllm::Engine;
using airllm::FastLinear;
using airllm::InvalidOperand;
using airllm::Kernels;
using airllm::Matrix;
using airllm::Pages;
using airllm::Task;

[[noreturn]] void fail(Napi::Env env, const char* code, const std::string& message) {
  Napi::Error error = Napi::Error::New(env, message);
  error.Set("code", Napi::String::New(env, code));
  throw error;
}

double numberArgument(const Napi::CallbackInfo& info, size_t index) {
  if (!info[index].IsNumber()) fail(info.Env(), "INVALID_OPERAND", "Expected a number");
  return info[index].As<Napi::Number>().DoubleValue();
}

size_t sizeArgument(const Napi::CallbackInfo& info, size_t index) {
  const double value = numberArgument(info, index);
  if (!(value >= 0 && value <= 9007199254740991.0)) {
    fail(info.Env(), "INVALID_OPERAND", "Expected a non-negative size");
  }
  return static_cast<size_t>(value);
}

template <typename Array>
Array arrayArgument(const Napi::CallbackInfo& info, size_t index, napi_typedarray_type type) {
  if (!info[index].IsTypedArray() || info[index].As<Napi::TypedArray>().TypedArrayType() != type) {
    fail(info.Env(), "INVALID_OPERAND", "Expected a typed array of another type");
  }
  return info[index].As<Array>();
}

const Kernels& kernelsArgument(const Napi::CallbackInfo& info, size_t index) {
  const std::string name = info[index].ToString().Utf8Value();
  const Kernels* kernels = airllm::kernelsFor(name);
  if (kernels == nullptr) {
    fail(info.Env(), "BACKEND_UNAVAILABLE",
         "Expected an instruction set of this machine but received " + name);
  }
  return *kernels;
}

size_t threadsArgument(const Napi::CallbackInfo& info, size_t index) {
  const size_t threads = sizeArgument(info, index);
  if (threads < 1 || threads > 1024) {
    fail(info.Env(), "INVALID_OPERAND", "Expected between 1 and 1024 threads");
  }
  return threads;
}

/** A task and the promise it settles. */
struct PromisedTask : Task {
  explicit PromisedTask(Napi::Env env) : deferred(Napi::Promise::Deferred::New(env)) {}
  Napi::Promise::Deferred deferred;
};

/** What an ArrayBuffer holds on to: its pages, until they are released or the buffer is collected. */
struct View {
  std::shared_ptr<Pages> pages;
};

struct Memory {
  std::shared_ptr<Pages> pages;
  std::shared_ptr<View> view;
};

/** One backend: its threads, and its memory by number. */
class EngineHandle : public Napi::ObjectWrap<EngineHandle> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(
        env, "Engine",
        {InstanceMethod<&EngineHandle::allocate>("allocate"), InstanceMethod<&EngineHandle::expose>("expose"),
         InstanceMethod<&EngineHandle::release>("release"), InstanceMethod<&EngineHandle::submit>("submit"),
         InstanceMethod<&EngineHandle::write>("write"), InstanceMethod<&EngineHandle::read>("read"),
         InstanceMethod<&EngineHandle::close>("close")});
  }

  /** new Engine(instructionSet: string, threads: number, fast: boolean) */
  explicit EngineHandle(const Napi::CallbackInfo& info) : Napi::ObjectWrap<EngineHandle>(info) {
    const Napi::Env env = info.Env();
    const Kernels& kernels = kernelsArgument(info, 0);
    const size_t threads = threadsArgument(info, 1);
    const FastLinear* fast = info[2].ToBoolean() ? airllm::fastLinearBeside(kernels) : nullptr;
    try {
      // Created before the cleanup hook, which therefore runs first: threads end before their way to report
      // does.
      completions_ = Completions::New(env, "airllm cpu backend", 0, 1, this);
      completions_.Unref(env);
      engine_ = std::make_unique<Engine>(kernels, fast, threads, [this](std::unique_ptr<Task> task) {
        // Refused only when the environment is closing; then nobody waits for the promise.
        if (completions_.NonBlockingCall(task.get()) == napi_ok) task.release();
      });
    } catch (const std::bad_alloc&) {
      completions_.Release();
      fail(env, "OUT_OF_MEMORY", "Expected memory for the compute threads' scratch space");
    } catch (const std::system_error& error) {
      completions_.Release();
      fail(env, "BACKEND_UNAVAILABLE", std::string("Expected to start compute threads but ") + error.what());
    }
    napi_add_env_cleanup_hook(env, stopAtExit, this);
    info.This().As<Napi::Object>().Set("instructionSet", Napi::String::New(env, kernels.name));
    info.This().As<Napi::Object>().Set("fastSet", Napi::String::New(env, fast == nullptr ? "" : fast->name));
  }

  ~EngineHandle() override { shutDown(); }

 private:
  static void settle(Napi::Env env, Napi::Function, EngineHandle* self, Task* completed) {
    const std::unique_ptr<PromisedTask> task(static_cast<PromisedTask*>(completed));
    // During teardown the queue is drained without an environment.
    if (env == nullptr) return;
    const Napi::HandleScope scope(env);
    if (task->kind == Task::Kind::kRead) {
      Napi::Float32Array values = Napi::Float32Array::New(env, task->data.size());
      std::copy(task->data.begin(), task->data.end(), values.Data());
      task->deferred.Resolve(values);
    } else {
      task->deferred.Resolve(Napi::Number::New(env, task->computeSeconds));
    }
    self->ended(env);
  }
  using Completions = Napi::TypedThreadSafeFunction<EngineHandle, Task, settle>;

  static void stopAtExit(void* data) {
    auto* self = static_cast<EngineHandle*>(data);
    self->exiting_ = true;
    self->engine_->stop();
  }

  /** While promises are pending the process and this object stay alive. */
  void began(Napi::Env env) {
    if (pending_++ > 0) return;
    completions_.Ref(env);
    Ref();
  }

  void ended(Napi::Env env) {
    if (--pending_ > 0) return;
    completions_.Unref(env);
    Unref();
  }

  Engine& engine(Napi::Env env) {
    if (engine_ == nullptr) fail(env, "BACKEND_CLOSED", "Expected an open backend");
    return *engine_;
  }

  std::shared_ptr<Pages> find(uint64_t id) const {
    const auto found = memory_.find(id);
    return found == memory_.end() ? nullptr : found->second.pages;
  }

  std::shared_ptr<Pages> pagesArgument(const Napi::CallbackInfo& info, size_t index) {
    std::shared_ptr<Pages> pages = find(sizeArgument(info, index));
    if (pages == nullptr) {
      fail(info.Env(), "INVALID_OPERAND", "Expected memory of this backend that is not disposed");
    }
    return pages;
  }

  /** allocate(byteLength: number, fullyWritten: boolean): number */
  Napi::Value allocate(const Napi::CallbackInfo& info) {
    engine(info.Env());
    const size_t byteLength = sizeArgument(info, 0);
    std::shared_ptr<Pages> pages = Pages::map(byteLength, info[1].ToBoolean());
    if (pages == nullptr) {
      fail(info.Env(), "OUT_OF_MEMORY",
           "Expected to reserve " + std::to_string(byteLength) +
               " bytes but the system refused; free memory or ask for less");
    }
    memory_.emplace(++lastId_, Memory{std::move(pages), nullptr});
    return Napi::Number::New(info.Env(), static_cast<double>(lastId_));
  }

  /** expose(id: number): ArrayBuffer — once per id, valid until release(id, buffer) detaches it. */
  Napi::Value expose(const Napi::CallbackInfo& info) {
    const std::shared_ptr<Pages> pages = pagesArgument(info, 0);
    auto view = std::make_shared<View>(View{pages});
    memory_[sizeArgument(info, 0)].view = view;
    auto* hold = new std::shared_ptr<View>(std::move(view));
    return Napi::ArrayBuffer::New(
        info.Env(), pages->data(), pages->byteLength(),
        [](Napi::Env, void*, std::shared_ptr<View>* finalized) { delete finalized; }, hold);
  }

  /** release(id: number, buffer?: ArrayBuffer): void */
  void release(const Napi::CallbackInfo& info) {
    const auto found = memory_.find(sizeArgument(info, 0));
    if (found == memory_.end()) return;
    if (info[1].IsArrayBuffer()) {
      info[1].As<Napi::ArrayBuffer>().Detach();
      // The finalizer of a detached buffer runs some time later; its pages go now.
      if (found->second.view != nullptr) found->second.view->pages.reset();
    }
    memory_.erase(found);
  }

  /** submit(words: Float64Array): Promise<number> of seconds */
  Napi::Value submit(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    Engine& engine = this->engine(env);
    const auto words = arrayArgument<Napi::Float64Array>(info, 0, napi_float64_array);
    auto task = std::make_unique<PromisedTask>(env);
    try {
      task->program = airllm::decodeProgram(
          words.Data(), words.ElementLength(), [this](uint64_t id) { return find(id); }, airllm::kLimits);
    } catch (const InvalidOperand& error) {
      fail(env, "INVALID_OPERAND", error.what());
    } catch (const std::bad_alloc&) {
      fail(env, "OUT_OF_MEMORY", "Expected memory for the submission's operands");
    }
    return enqueue(env, engine, std::move(task));
  }

  Napi::Value enqueue(Napi::Env env, Engine& engine, std::unique_ptr<PromisedTask> task) {
    const Napi::Promise promise = task->deferred.Promise();
    began(env);
    engine.submit(std::move(task));
    return promise;
  }

  Matrix tensorArgument(const Napi::CallbackInfo& info, const Pages& pages) {
    const auto words = arrayArgument<Napi::Float64Array>(info, 1, napi_float64_array);
    try {
      return airllm::decodeTensor(words.Data(), words.ElementLength(), pages);
    } catch (const InvalidOperand& error) {
      fail(info.Env(), "INVALID_OPERAND", error.what());
    }
  }

  std::unique_ptr<PromisedTask> copyTask(Napi::Env env, Task::Kind kind, const Matrix& rows,
                                         std::shared_ptr<Pages> pages, size_t count) {
    auto task = std::make_unique<PromisedTask>(env);
    task->kind = kind;
    task->rows = rows;
    task->memory = std::move(pages);
    try {
      task->data.resize(count);
    } catch (const std::bad_alloc&) {
      fail(env, "OUT_OF_MEMORY", "Expected memory for a copy of the tensor");
    }
    return task;
  }

  /** write(id: number, tensor: Float64Array, data: Float32Array): Promise | undefined when already done */
  Napi::Value write(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    Engine& engine = this->engine(env);
    const std::shared_ptr<Pages> pages = pagesArgument(info, 0);
    const Matrix rows = tensorArgument(info, *pages);
    const auto data = arrayArgument<Napi::Float32Array>(info, 2, napi_float32_array);
    const size_t count = rows.rows * rows.cols;
    if (data.ElementLength() != count) {
      fail(env, "INVALID_OPERAND",
           "Expected " + std::to_string(count) + " values for the tensor but received " +
               std::to_string(data.ElementLength()));
    }
    if (engine.idle()) {
      airllm::unpackRows(data.Data(), rows);
      return env.Undefined();
    }
    auto task = copyTask(env, Task::Kind::kWrite, rows, pages, count);
    std::copy_n(data.Data(), count, task->data.begin());
    return enqueue(env, engine, std::move(task));
  }

  /** read(id: number, tensor: Float64Array): Promise<Float32Array> | Float32Array */
  Napi::Value read(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    Engine& engine = this->engine(env);
    const std::shared_ptr<Pages> pages = pagesArgument(info, 0);
    const Matrix rows = tensorArgument(info, *pages);
    const size_t count = rows.rows * rows.cols;
    if (engine.idle()) {
      Napi::Float32Array values = Napi::Float32Array::New(env, count);
      airllm::packRows(rows, values.Data());
      return values;
    }
    return enqueue(env, engine, copyTask(env, Task::Kind::kRead, rows, pages, count));
  }

  /** close(): void — ends the threads; the caller has awaited its submissions. */
  void close(const Napi::CallbackInfo&) { shutDown(); }

  void shutDown() {
    if (engine_ == nullptr) return;
    if (!exiting_) napi_remove_env_cleanup_hook(Env(), stopAtExit, this);
    engine_.reset();
    // A closing environment frees the thread-safe function itself.
    if (!exiting_) completions_.Release();
  }

  Completions completions_;
  std::unique_ptr<Engine> engine_;
  std::unordered_map<uint64_t, Memory> memory_;
  bool exiting_ = false;
  uint64_t lastId_ = 0;
  size_t pending_ = 0;
};

/** A measurement off the JavaScript thread, and the promise of its figure. */
class MeasureWorker : public Napi::AsyncWorker {
 public:
  MeasureWorker(Napi::Env env, std::function<double()> measure)
      : Napi::AsyncWorker(env), deferred_(Napi::Promise::Deferred::New(env)), measure_(std::move(measure)) {}

  Napi::Promise promise() { return deferred_.Promise(); }

 private:
  void Execute() override { result_ = measure_(); }
  void OnOK() override { deferred_.Resolve(Napi::Number::New(Env(), result_)); }
  void OnError(const Napi::Error& error) override { deferred_.Reject(error.Value()); }

  Napi::Promise::Deferred deferred_;
  std::function<double()> measure_;
  double result_ = 0;
};

Napi::Value startMeasuring(Napi::Env env, std::function<double()> measure) {
  auto* worker = new MeasureWorker(env, std::move(measure));
  worker->Queue();
  return worker->promise();
}

/** measureMemoryBandwidth(instructionSet, bytes, threads, seconds): Promise<number> */
Napi::Value measureMemoryBandwidth(const Napi::CallbackInfo& info) {
  const Kernels& kernels = kernelsArgument(info, 0);
  const size_t bytes = sizeArgument(info, 1), threads = threadsArgument(info, 2);
  const double seconds = numberArgument(info, 3);
  return startMeasuring(info.Env(), [&kernels, bytes, threads, seconds] {
    return airllm::measureMemoryBandwidth(kernels, bytes, threads, seconds);
  });
}

/** measureComputePeak(instructionSet, fast, threads, seconds): Promise<number> */
Napi::Value measureComputePeak(const Napi::CallbackInfo& info) {
  const Kernels& kernels = kernelsArgument(info, 0);
  const FastLinear* fast = info[1].ToBoolean() ? airllm::fastLinearBeside(kernels) : nullptr;
  const size_t threads = threadsArgument(info, 2);
  const double seconds = numberArgument(info, 3);
  return startMeasuring(info.Env(), [&kernels, fast, threads, seconds] {
    return airllm::measureComputePeak(kernels, fast, threads, seconds);
  });
}

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  exports.Set("Engine", EngineHandle::define(env));
  exports.Set("measureMemoryBandwidth", Napi::Function::New(env, measureMemoryBandwidth));
  exports.Set("measureComputePeak", Napi::Function::New(env, measureComputePeak));
  return exports;
}

}  // namespace

NODE_API_MODULE(airllm_cpu, initialize)
