"""Every name of ComfyUI that the pack touches; it uses no other (`tests/tools/test_host_api.py`).

`NAMES` are Python's by module or class, `KEYS` those of dictionaries and routes by the host's file
that reads them, `PAGE` those of the page. `tools/docs/hosts_page.py` adds what each version has.
"""

from typing import Final

_MODEL_PATCHER: Final = "comfy.model_patcher.ModelPatcher"
_BASE_MODEL: Final = "comfy.model_base.BaseModel"
_GUIDER: Final = "comfy.samplers.CFGGuider"
_VAE: Final = "comfy.sd.VAE"
_IO: Final = "comfy_api.latest.io"

NAMES: Final[dict[str, str]] = {
    "comfy.cli_args.args": "disable_metadata",
    "comfy_execution.utils": "get_executing_context",
    "comfy.conds": "CONDConstant CONDList CONDNoiseShape CONDRegular",
    "comfy.conds.CONDRegular": "can_concat concat cond process_cond",
    "comfy.latent_formats": "ACEAudio15",
    "comfy.latent_formats.LatentFormat": "latent_rgb_factors latent_rgb_factors_reshape",
    "comfy.ldm.ace.ace_step15": "get_silence_latent",
    "comfy.model_base": "ACEStep15",
    _BASE_MODEL: (
        "__init__ _apply_model current_patcher device diffusion_model extra_conds"
        " extra_conds_shapes get_dtype_inference latent_format manual_cast_dtype memory_required"
        " model_config model_sampling"
    ),
    "comfy.model_base.ModelType": "FLOW",
    "comfy.model_detection": "model_config_from_unet",
    "comfy.model_management": (
        "archive_model_dtypes dtype_size extra_reserved_memory get_free_memory get_torch_device"
        " intermediate_device is_device_cpu is_oom load_models_gpu loaded_models"
        " minimum_inference_memory should_use_bf16 soft_empty_cache text_encoder_device"
        " text_encoder_offload_device throw_exception_if_processing_interrupted unet_dtype"
        " unet_manual_cast unet_offload_device vae_device vae_dtype vae_offload_device"
    ),
    "comfy.model_patcher": "CoreModelPatcher LazyCastingParamPiece ModelPatcher",
    "comfy.model_patcher.LazyCastingParamPiece": "caster",
    _MODEL_PATCHER: (
        "add_patches add_wrapper_with_key cached_patcher_init clone comfy_patched_weights"
        " get_attachment get_free_memory get_wrappers is_dynamic is_multigpu_base_clone"
        " load_device loaded_size model model_lowvram model_size patch_weight_to_device"
        " model_options patches set_attachments set_model_sampler_post_cfg_function"
    ),
    "comfy.model_sampling.CONST": "inverse_noise_scaling noise_scaling",
    "comfy.ops": (
        "CastWeightBiasOp cast_bias_weight manual_cast pick_operations run_every_op"
        " uncast_bias_weight"
    ),
    "comfy.ops.CastWeightBiasOp": "bias_function comfy_cast_weights weight_function",
    "comfy.patcher_extension": "add_wrapper_with_key",
    "comfy.patcher_extension.WrapperExecutor": "class_obj",
    "comfy.patcher_extension.WrappersMP": "APPLY_MODEL PREPARE_SAMPLING",
    "comfy.quant_ops": "QUANT_ALGOS QuantizedLayout QuantizedTensor register_layout_class",
    "comfy.quant_ops.QuantizedLayout": ("dequantize get_plain_tensors quantize state_dict_tensors"),
    "comfy.quant_ops.QuantizedTensor": "_params _qdata from_float",
    "comfy.samplers": "CFGGuider KSamplerX0Inpaint Sampler calc_cond_batch sampling_function",
    _GUIDER: (
        "conds inner_model inner_sample model_patcher original_conds predict_noise sample set_conds"
    ),
    "comfy.samplers.KSAMPLER": "sampler_function",
    "comfy.samplers.KSamplerX0Inpaint": "latent_image noise",
    "comfy.samplers.Sampler": "max_denoise sample",
    "comfy.sd.CLIP": "cond_stage_model patcher",
    "comfy.sd": "VAE",
    _VAE: (
        "audio_sample_rate audio_sample_rate_output crop_input decode decode_tiled decode_tiled_1d"
        " device disable_offload downscale_ratio encode encode_tiled first_stage_model get_sd"
        " latent_channels latent_dim memory_used_decode memory_used_encode model_size"
        " output_channels output_device pad_channel_value patcher process_input process_output size"
        " upscale_ratio vae_dtype vae_encode_crop_pixels vae_output_dtype"
    ),
    "comfy.supported_models_base.BASE": "custom_operations set_inference_dtype unet_config",
    "comfy.text_encoders.ace15.ACE15TEModel": "lm_model qwen3_06b",
    "comfy.sd1_clip.SDClipModel": "transformer",
    "comfy.utils": "PROGRESS_BAR_ENABLED ProgressBar convert_old_quants reshape_mask",
    "comfy.utils.ProgressBar": "update_absolute",
    "comfy.weight_adapter": "WeightAdapterBase",
    "comfy.weight_adapter.WeightAdapterBase": "calculate_weight loaded_keys name weights",
    "comfy_api.latest": "ComfyExtension",
    "comfy_api.latest.ComfyExtension": "get_node_list",
    _IO: "ComfyNode Custom Input NodeOutput Output Schema",
    f"{_IO}.Audio": "Input Output",
    f"{_IO}.Boolean": "Input",
    f"{_IO}.Combo": "Input Output",
    f"{_IO}.ComfyNode": "define_schema execute fingerprint_inputs hidden validate_inputs",
    f"{_IO}.Conditioning": "Input Output",
    f"{_IO}.DynamicCombo": "Input Option",
    f"{_IO}.Float": "Input Output",
    f"{_IO}.FolderType": "output temp",
    f"{_IO}.Guider": "Output",
    f"{_IO}.Hidden": "extra_pnginfo prompt unique_id",
    f"{_IO}.Image": "Output",
    f"{_IO}.Int": "Input Output",
    f"{_IO}.Latent": "Input Output",
    f"{_IO}.Mask": "Input Output",
    f"{_IO}.Model": "Input Output",
    f"{_IO}.Noise": "Output",
    f"{_IO}.Sampler": "Input Output",
    f"{_IO}.Sigmas": "Input Output",
    f"{_IO}.String": "Input Output",
    f"{_IO}.UploadType": "audio",
    f"{_IO}.Vae": "Input Output",
    "comfy_api.latest.ui": "PreviewText SavedAudios SavedResult",
    "comfy_api.latest.ui.SavedAudios": "as_dict",
    "comfy_kitchen.tensor": "BaseLayoutParams",
    "comfy_kitchen.tensor.BaseLayoutParams": "orig_dtype",
    "folder_paths": (
        "get_filename_list get_folder_paths get_full_path get_input_directory"
        " get_output_directory get_save_image_path get_system_user_directory"
        " get_temp_directory"
    ),
    "latent_preview": "prepare_callback",
    "server": "PromptServer",
    "server.PromptServer": "client_id instance send_progress_text send_sync sockets",
}
KEYS: Final[dict[str, str]] = {
    "comfy/model_base.py": (
        "audio_codes conditioning_lyrics cross_attn reference_audio_timbre_latents"
    ),
    "comfy/sampler_helpers.py": "additional_models cross_attn model_conds",
    "comfy/samplers.py": (
        "cond conds denoised input model model_options noise positive negative sample_sigmas"
        " sampler_calc_cond_batch_function sampler_cfg_function sampler_post_cfg_function sigma"
        " transformer_options uncond"
    ),
    "nodes.py": "batch_index noise_mask samples",
    "comfy_extras/nodes_audio.py": "sample_rate samples waveform",
    "comfy_extras/nodes_custom_sampler.py": "noise_mask samples",
    "server.py": "/view",
}
PAGE: Final[dict[str, str]] = {
    "api": (
        "addEventListener apiURL deleteItem getUserData getWorkflowTemplates interrupt queuePrompt"
        " removeEventListener storeUserData"
    ),
    "app": "canvas extensionManager graph handleFile registerExtension rootGraph",
    "canvas": "emitAfterChange emitBeforeChange graph",
    "definition": "input name search_aliases",
    "extension": "beforeConfigureGraph beforeRegisterNodeDef loadedGraphNode nodeCreated setup",
    "graph": "add getLink getNodeById inputs nodes serialize",
    "loader": "comfyClass connect pos",
    "node": (
        "addDOMWidget comfyClass computeSize getInputNode graph id inputs onConfigure"
        " onExecuted onGraphConfigured onRemoved"
        " properties removeWidget setDirtyCanvas setSize size subgraph widgets"
    ),
    "service": "searchNode",  # of the page's store of definitions
    "widget": (
        "callback element getMaxHeight getMinHeight hideOnZoom name onRemove serialize type value"
    ),
}

NOT_IN_ALL: Final[dict[str, str]] = {
    "comfy.model_patcher.LazyCastingParamPiece": "0.33.0",
    "comfy.model_patcher.LazyCastingParamPiece.caster": "0.33.0",
    "comfy.model_patcher.ModelPatcher.is_multigpu_base_clone": "0.33.0",
}  # and the version that brought it: our code asks whether it is there

NOT_THE_HOSTS: Final = frozenset(
    "_parameters get_tensor hexdigest ru_maxrss st_mtime_ns st_size warning"
    " display_name node_id reset set ui".split()
)  # of torch, safetensors, hashlib, resource, os, logging and contextvars, and what we give to
# io.Schema and io.NodeOutput, whose arguments are listed


def symbols() -> list[str]:
    """Every listed name: dotted, and `file: key`."""
    names = [f"{place}.{name}" for place, listed in NAMES.items() for name in listed.split()]
    keys = [f"{file}: {key}" for file, listed in KEYS.items() for key in listed.split()]
    return sorted(names) + sorted(keys)


def page_names() -> list[str]:
    return sorted(f"{place}.{name}" for place, names in PAGE.items() for name in names.split())
